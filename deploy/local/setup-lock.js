// One setup at a time: `npm start` and `npm test` in two terminals of a fresh clone must not install into each other.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { inRoot } from "./paths.js";

const LOCK = inRoot("node_modules", ".tailkeep-setup-lock");
const POLL_MS = 200;
// Between making the file and writing its process id an owner needs microseconds; after this long it died there.
const UNSIGNED_MS_MAX = 5_000;

/** Runs `work` while no other setup of this checkout runs. A lock whose owner has died is taken over. */
export async function withSetupLock(work) {
  await acquire();
  process.on("exit", release);
  try {
    work();
  } finally {
    release();
    process.off("exit", release);
  }
}

async function acquire() {
  mkdirSync(inRoot("node_modules"), { recursive: true });
  for (let told = false; ; ) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = ownerPid();
    if (owner === undefined ? ageMs() > UNSIGNED_MS_MAX : !isAlive(owner)) {
      rmSync(LOCK, { force: true });
      continue;
    }
    if (!told)
      console.error(`setup: waiting for another setup, process ${owner ?? "unknown"}; if it is none, remove ${LOCK}`);
    told = true;
    await sleep(POLL_MS);
  }
}

function release() {
  if (ownerPid() === process.pid) rmSync(LOCK, { force: true });
}

/** Undefined while the owner is between making the file and writing its id, or has just removed it. */
function ownerPid() {
  try {
    return Number(readFileSync(LOCK, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function ageMs() {
  const file = statSync(LOCK, { throwIfNoEntry: false });
  return file === undefined ? 0 : Date.now() - file.mtimeMs;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
