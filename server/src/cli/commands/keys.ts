/** `tailkeep keys`: makes, lists, rotates and revokes API keys. No secret is ever an argument. */
import {
  type ApiKey,
  type KeyRoleName,
  type KeyWithSecret,
  InvalidArgumentError as RefusedError,
} from "@tailkeep/client";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isoTime } from "../../export/index.js";
import { timeUs, wholeNumber } from "../arguments.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { CommandFailure, EXIT_FAILED, EXIT_WRONG_USAGE, fail } from "../failure.js";

interface JsonFlag extends ServerFlag {
  readonly json?: true;
}

interface CreateFlags extends JsonFlag {
  readonly role: readonly KeyRoleName[];
  readonly name?: string;
  readonly expires?: number;
  readonly streamsMax?: number;
  readonly recordsPerSecondMax?: number;
  readonly bytesPerSecondMax?: number;
  readonly inStore?: true;
  readonly store?: string;
  readonly namespace?: string;
}

const ROLE_NAMES: readonly KeyRoleName[] = ["write", "read", "admin"];

const CREATE_EXAMPLES = `
Prints the key once, and nothing else on standard output: keep it in a file, and name that with TAILKEEP_API_KEY_FILE.
The first key of a database closes it for callers that have none.

Examples:
  tailkeep keys create --role admin --name me > admin.key
  TAILKEEP_API_KEY_FILE=admin.key tailkeep keys create --role write --name trainer-7 --expires 90d > trainer-7.key
  TAILKEEP_STORE=mysql://... tailkeep keys create --role admin --in-store --namespace team-b > team-b.key`;

const LIST_EXAMPLES = `
Examples:
  tailkeep keys list
  tailkeep keys list --json | jq -r 'select(.revokedAtUs == null) | .keyId'`;

const ROTATE_EXAMPLES = `
The secret before goes on for a day, or as long as --grace says: hand out the new one in that time.

Examples:
  tailkeep keys rotate k7m2p9q4r8t3 > trainer-7.key.new && mv trainer-7.key.new trainer-7.key
  tailkeep keys rotate k7m2p9q4r8t3 --grace 0`;

const REVOKE_EXAMPLES = `
Examples:
  tailkeep keys revoke k7m2p9q4r8t3`;

export function registerKeys(program: Command): void {
  const keys = program
    .command("keys")
    .description("Makes, lists, rotates and revokes the keys that say who may do what.");
  registerCreate(keys);
  const list = keys
    .command("list")
    .description("The keys of your namespace, those that have ended included.")
    .option("--json", "a JSON object a line")
    .addHelpText("after", LIST_EXAMPLES)
    .action((flags: JsonFlag) =>
      withClient("keys list", flags, async (client) => {
        for await (const key of client.keys.list())
          process.stdout.write(`${flags.json ? JSON.stringify(key) : line(key)}\n`);
      }),
    );
  const rotate = keys
    .command("rotate")
    .description("Gives a key a new secret, and prints it once.")
    .argument("<id>", "which key, as keys list shows it")
    .option("--grace <seconds>", "how long the secret before goes on (default: 86400)", wholeNumber(0, 2_592_000))
    .option("--json", "key and secret as JSON")
    .addHelpText("after", ROTATE_EXAMPLES)
    .action((id: string, flags: JsonFlag & { readonly grace?: number }) =>
      withClient("keys rotate", flags, async (client) => {
        showOnce(await refusedAsUsage(client.keys.rotate(keyId(id), { graceSeconds: flags.grace })), flags);
      }),
    );
  const revoke = keys
    .command("revoke")
    .description("Ends a key for good, and whatever was opened with it.")
    .argument("<id>", "which key, as keys list shows it")
    .option("--json", "the key as JSON")
    .addHelpText("after", REVOKE_EXAMPLES)
    .action((id: string, flags: JsonFlag) =>
      withClient("keys revoke", flags, async (client) => {
        const key = await refusedAsUsage(client.keys.revoke(keyId(id)));
        process.stdout.write(`${flags.json ? JSON.stringify(key) : line(key)}\n`);
      }),
    );
  for (const command of [list, rotate, revoke]) addServerOption(command);
}

function registerCreate(keys: Command): void {
  const role = new Option("-r, --role <role>", "what it permits; may be given several times")
    .choices(ROLE_NAMES)
    .argParser(roles)
    .makeOptionMandatory();
  const most = wholeNumber(1, Number.MAX_SAFE_INTEGER);
  const create = keys
    .command("create")
    .description("Makes a key and prints it once.")
    .addOption(role)
    .option("--name <text>", "what it is for")
    .option("--expires <when>", "from when it is refused: 90d, 12h, or a time (default: never)", expiry)
    .option("--streams-max <count>", "ingest streams that it may have open (default: 10000)", wholeNumber(1, 12_000))
    .option("--records-per-second-max <count>", "records a second (default: 1000000)", most)
    .option("--bytes-per-second-max <count>", "bytes of batches a second (default: 536870912)", most)
    .option("--in-store", "straight into the store of the configuration, without asking a server")
    .option("--namespace <name>", "whose key it is, with --in-store (default: default)")
    .option("--json", "key and secret as JSON")
    .addHelpText("after", CREATE_EXAMPLES)
    .action((flags: CreateFlags) => createKey(flags));
  addServerOption(create);
  addConfigFlags(create, ["store"]);
}

async function createKey(flags: CreateFlags): Promise<void> {
  if (flags.inStore || flags.store !== undefined) return await createInStore(flags);
  if (flags.namespace !== undefined) {
    return fail(
      "keys create",
      "--namespace needs --in-store: over a server it is that of your own key",
      EXIT_WRONG_USAGE,
    );
  }
  const { role, name, expires, streamsMax, recordsPerSecondMax, bytesPerSecondMax } = flags;
  return await withClient("keys create", flags, async (client) => {
    const limits = { streamsMax, recordsPerSecondMax, bytesPerSecondMax } as Record<string, number>;
    showOnce(await refusedAsUsage(client.keys.create({ roles: role, name, expiresAtUs: expires, limits })), flags);
  });
}

async function createInStore(flags: CreateFlags): Promise<void> {
  const { namespace = "default", name = "", role, expires, ...limits } = flags;
  const { config } = configFromFlags(flags as unknown as Record<string, unknown>);
  // Loaded here, as it needs both databases' drivers, and the other commands do not.
  const { makeKeyInStore } = await import("../../access/key-in-store.js");
  try {
    const { streamsMax, recordsPerSecondMax, bytesPerSecondMax } = limits;
    const wanted = { namespace, name, roles: role, expiresAtUs: expires, streamsMax, recordsPerSecondMax };
    const { keyId, secret, createdAtUs } = await makeKeyInStore(config, { ...wanted, bytesPerSecondMax });
    if (flags.json)
      process.stdout.write(
        `${JSON.stringify({ key: { keyId, namespace, name, roles: role, createdAtUs }, secret })}\n`,
      );
    else {
      process.stdout.write(`${secret}\n`);
      console.error(`key ${keyId} (${role.join(", ")}) of namespace ${namespace}; it is shown this once`);
    }
  } catch (error) {
    fail("keys create", error instanceof Error ? error.message : String(error), EXIT_FAILED);
  }
}

function roles(text: string, before: readonly KeyRoleName[] | undefined): KeyRoleName[] {
  const added = text.split(",").map((name) => {
    const known = ROLE_NAMES.find((each) => each === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`It must be one of ${ROLE_NAMES.join(", ")}.`);
    return known;
  });
  return [...new Set([...(before ?? []), ...added])];
}

const SECONDS: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };

/** Microseconds since 1970. */
function expiry(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return timeUs(text);
  return Math.round((Date.now() / 1_000 + Number(count) * (SECONDS[unit] ?? 0)) * 1_000_000);
}

/** A secret in its place would stand in `ps` and in the shell's history: it says so, and is not repeated. */
function keyId(text: string): string {
  if (!text.startsWith("tk_")) return text;
  throw new CommandFailure(
    "<id> is the part between the underscores, not the secret; rotate what was shown",
    EXIT_WRONG_USAGE,
  );
}

async function refusedAsUsage<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RefusedError) throw new CommandFailure(error.message, EXIT_WRONG_USAGE);
    throw error;
  }
}

function showOnce({ key, secret }: KeyWithSecret, { json }: JsonFlag): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ key, secret })}\n`);
    return;
  }
  process.stdout.write(`${secret}\n`);
  const before =
    key.previousUntilUs === undefined ? "" : `; the one before goes on until ${isoTime(key.previousUntilUs)}`;
  console.error(
    `key ${key.keyId} (${key.roles.join(", ")}) of namespace ${key.namespace}; it is shown this once${before}`,
  );
}

function line(key: ApiKey): string {
  const state =
    key.revokedAtUs !== undefined
      ? `revoked ${isoTime(key.revokedAtUs)}`
      : key.expiresAtUs === undefined
        ? "live"
        : `${key.expiresAtUs <= Date.now() * 1_000 ? "expired" : "live until"} ${isoTime(key.expiresAtUs)}`;
  return `${key.keyId}  ${key.roles.join(",").padEnd(16)}  made ${isoTime(key.createdAtUs)}  ${state}  ${key.name}`;
}
