/** Runs the seeds that it is sent, one after the other. */
import { parentPort } from "node:worker_threads";
import { planOf } from "./plan.js";
import { simulate } from "./simulation.js";

parentPort?.on("message", (seed: number) => {
  void simulate(planOf(seed)).then((outcome) => parentPort?.postMessage({ ...outcome, trace: [] }));
});
