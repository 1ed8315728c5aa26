/** Asks a server for its health: over gRPC as any client may, and over HTTP as an operator does. */
import { readFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { isIP } from "node:net";
import { text } from "node:stream/consumers";
import { type ChannelCredentials, Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { splitAddress } from "../config/address.js";

export type Health = "serving" | "not serving" | "no such service" | "no answer";

const ANSWER_MS_MAX = 2_000;

/** Of one service, or with "" of the whole server (grpc.health.v1). */
export async function grpcHealth(address: string, withTls: boolean, service = ""): Promise<Health> {
  const client = new Client(reachable(address), withTls ? tlsCredentials() : credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    // TLS names no server by its IP address, and Node warns of it on stderr; the name is not checked here anyway.
    ...(withTls &&
      isIP(splitAddress(reachable(address)).host) !== 0 && { "grpc.ssl_target_name_override": "localhost" }),
  });
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

/**
 * Whoever answers is asked nothing but its health, and told nothing: it need not prove who it is. A server that asks its
 * clients for a certificate gets the one that the environment names.
 */
function tlsCredentials(): ChannelCredentials {
  const [cert, key] = ["TAILKEEP_CLIENT_CERT", "TAILKEEP_CLIENT_KEY"].map((name) => process.env[name] || undefined);
  const pem = (file: string | undefined) => (cert === undefined || file === undefined ? null : readFileSync(file));
  return credentials.createSsl(null, pem(key), pem(cert), { rejectUnauthorized: false });
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
  /** Of the Tailkeep that answers, "unsaid" where it wants a key for that; undefined where something else does. */
  readonly version: string | undefined;
}

/** Undefined where nothing answers. */
export async function httpHealth(address: string, withTls: boolean): Promise<HttpAnswer | undefined> {
  try {
    const [ready, metrics] = await Promise.all([
      page(`${reachable(address)}/readyz`, withTls),
      page(`${reachable(address)}/metrics`, withTls),
    ]);
    const isKept = metrics.code === 401 && metrics.body.startsWith("authorization: ");
    const version = isKept ? "unsaid" : /^tailkeep_build_info\{version="([^"]+)"/m.exec(metrics.body)?.[1];
    return { isReady: ready.code === 200, said: ready.body.trim().slice(0, 200), version };
  } catch {
    return undefined;
  }
}

function page(where: string, withTls: boolean): Promise<{ code: number; body: string }> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  return new Promise((resolve, reject) => {
    const request = withTls
      ? httpsGet(`https://${where}`, { signal, rejectUnauthorized: false })
      : httpGet(`http://${where}`, { signal });
    request.once("error", reject);
    request.once("response", (response) => {
      text(response).then((body) => resolve({ code: response.statusCode ?? 0, body }), reject);
    });
  });
}

/** What listens on every address is asked on this machine's own. */
function reachable(address: string): string {
  const { host, port } = splitAddress(address);
  return host === "0.0.0.0" || host === "::" ? `127.0.0.1:${port}` : address;
}
