// What any gRPC client finds out by itself: the services by reflection, without proto files, and whether they serve.
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync } from "@grpc/proto-loader";
import { connect } from "@tailkeep/client";
import { service as healthService } from "grpc-health-check";
import { expect, onTestFinished, test } from "vitest";
import { isSkipped, startMysqlFamily } from "../support/databases/index.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

const SERVICES = ["AdminService", "ConfigService", "HistoryService", "IngestService", "StateService"].map(
  (name) => `tailkeep.v1.${name}`,
);

async function startServer(store?: string): Promise<TailkeepServer> {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-discovery-"));
  const server = await TailkeepServer.start({ store: store ?? `sqlite:${join(folder, "tailkeep.db")}`, cwd: folder });
  onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return server;
}

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorMessage: string };
}

/** One question to the reflection service, of a client that knows its proto and no other. */
async function reflect(address: string, version: string, question: object): Promise<ReflectionAnswer> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("@grpc/reflection")), "..", "proto");
  const proto = loadSync(`grpc/reflection/${version}/reflection.proto`, { includeDirs: [folder] });
  const Reflection = at(loadPackageDefinition(proto), `grpc.reflection.${version}.ServerReflection`);
  const client = new Reflection(address, credentials.createInsecure());
  try {
    const call = client["serverReflectionInfo"]?.() as ClientDuplexStream<object, ReflectionAnswer>;
    return await new Promise((resolve, reject) => {
      call.on("data", resolve);
      call.on("error", reject);
      call.write(question);
      call.end();
    });
  } finally {
    client.close();
  }
}

function at(packages: GrpcObject, path: string): ServiceClientConstructor {
  const found = path.split(".").reduce<unknown>((inside, name) => (inside as GrpcObject)[name], packages);
  return found as ServiceClientConstructor;
}

test.each(["v1", "v1alpha"])("services are listed by reflection %s", async (version) => {
  const server = await startServer();
  const { listServicesResponse } = await reflect(server.grpcAddress, version, { listServices: "*" });
  const names = listServicesResponse?.service.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(SERVICES));
});

test("what reflection says is enough to call a method", async () => {
  const server = await startServer();
  const writer = connect({ server: server.grpcAddress, sessionId: "found" });
  await writer.openStream().opened();
  await writer.close();

  const question = { fileContainingSymbol: "tailkeep.v1.HistoryService" };
  const { fileDescriptorResponse } = await reflect(server.grpcAddress, "v1", question);
  const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
  expect(files.length).toBeGreaterThan(0);
  const descriptors = loadPackageDefinition(loadFileDescriptorSetFromBuffer(fileDescriptorSet(files)));
  const history = new (at(descriptors, "tailkeep.v1.HistoryService"))(server.grpcAddress, credentials.createInsecure());
  const answer = await new Promise((resolve, reject) => {
    history["listSessions"]?.({}, (error: Error | null, response: unknown) =>
      error ? reject(error) : resolve(response),
    );
  });
  history.close();
  expect(answer).toMatchObject({ sessions: [{ session_id: "found" }] });
});

/** FileDescriptorSet { repeated FileDescriptorProto file = 1 }. */
function fileDescriptorSet(files: readonly Buffer[]): Buffer {
  return Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]));
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

test("a symbol that is not there is said to be missing", async () => {
  const server = await startServer();
  const { errorResponse } = await reflect(server.grpcAddress, "v1", { fileContainingSymbol: "tailkeep.v1.Nonsense" });
  expect(errorResponse?.errorMessage).toContain("Nonsense");
});

/** SERVING, NOT_SERVING, or the status of a refusal. */
async function health(address: string, service: string): Promise<string> {
  const check = healthService["Check"];
  if (check === undefined) throw new Error("the health service has no Check");
  const { path, requestSerialize, responseDeserialize } = check;
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise<string>((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, response) => {
        const answer = response as { readonly status?: string } | undefined;
        resolve(error === null ? String(answer?.status) : (status[error.code] ?? ""));
      });
    });
  } finally {
    client.close();
  }
}

test("health follows the store, for the server and for each service", { timeout: 180_000 }, async (context) => {
  const database = await startMysqlFamily({ private: true });
  if (isSkipped(database)) return context.skip(database.skipped);
  onTestFinished(() => database.stop());
  const server = await startServer(database.url(await database.createDatabase()));
  const ofAll = () => Promise.all(["", ...SERVICES].map((service) => health(server.grpcAddress, service)));
  expect(new Set(await ofAll())).toEqual(new Set(["SERVING"]));
  expect(await health(server.grpcAddress, "tailkeep.v1.Nonsense")).toBe("NOT_FOUND");

  await database.kill();
  await expect.poll(ofAll, { timeout: 20_000 }).toEqual(Array(SERVICES.length + 1).fill("NOT_SERVING"));
  await database.start();
  await expect.poll(ofAll, { timeout: 20_000 }).toEqual(Array(SERVICES.length + 1).fill("SERVING"));
});
