/** Asks a server for its health: over gRPC as any client may, and over HTTP as an operator does. */
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { splitAddress } from "../config/address.js";

export type Health = "serving" | "not serving" | "no such service" | "no answer";

const ANSWER_MS_MAX = 2_000;

/** Of one service, or with "" of the whole server (grpc.health.v1). */
export async function grpcHealth(address: string, service = ""): Promise<Health> {
  const client = new Client(reachable(address), credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  try {
    return await new Promise<Health>((resolve) => {
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        () => healthRequest(service),
        (bytes: Buffer): Health => (bytes.equals(SERVING) ? "serving" : "not serving"),
        undefined,
        { deadline: Date.now() + ANSWER_MS_MAX },
        (failure: ServiceError | null, health?: Health) => {
          if (failure === null) resolve(health ?? "no answer");
          else resolve(failure.code === status.NOT_FOUND ? "no such service" : "no answer");
        },
      );
    });
  } finally {
    client.close();
  }
}

/** HealthCheckResponse { status: SERVING }. */
const SERVING = Buffer.from([0x08, 0x01]);

/** HealthCheckRequest { service }: field 1, length-delimited. Names of services are shorter than 128 bytes. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  return name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
}

export interface HttpAnswer {
  readonly isReady: boolean;
  /** What /readyz says. */
  readonly said: string;
  /** Of the Tailkeep that answers; undefined where something else does. */
  readonly version: string | undefined;
}

/** Undefined where nothing answers. */
export async function httpHealth(address: string): Promise<HttpAnswer | undefined> {
  const get = (path: string) =>
    fetch(`http://${reachable(address)}${path}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  try {
    const [ready, metrics] = await Promise.all([get("/readyz"), get("/metrics")]);
    const version = /^tailkeep_build_info\{version="([^"]+)"/m.exec(await metrics.text())?.[1];
    return { isReady: ready.ok, said: (await ready.text()).trim().slice(0, 200), version };
  } catch {
    return undefined;
  }
}

/** What listens on every address is asked on this machine's own. */
function reachable(address: string): string {
  const { host, port } = splitAddress(address);
  return host === "0.0.0.0" || host === "::" ? `127.0.0.1:${port}` : address;
}
