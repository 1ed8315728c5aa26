/** The keys of a campaign: those that nothing may touch, and those that it makes, rotates and revokes as it goes. */
import { KeyRole } from "@tailkeep/proto";
import { makeKeyInStore } from "@tailkeep/server/dist/access/key-in-store.js";
import { configSchema } from "@tailkeep/server/dist/config/schema.js";
import { EndedError, Stubs } from "../../../support/grpc/stubs.js";

export interface Holder {
  readonly keyId: string;
  readonly secret: string;
}

export const LESSER = ["write", "read"] as const;
const HELD = ["admin", ...LESSER, "neighbour"] as const;
export type Held = (typeof HELD)[number];

/** Revoked keys whose secrets are tried in the end. */
const TRIED_MAX = 50;
const ENDED_MS_MAX = 30_000;

export class KeyRing {
  readonly held: Readonly<Record<Held, Holder>>;
  /** Made by the campaign, with the secret that they began with. */
  readonly live = new Map<string, string>();
  readonly #everMade = new Set<string>();
  readonly #revoked = new Map<string, string>();

  private constructor(held: Readonly<Record<Held, Holder>>) {
    this.held = held;
  }

  /** Makes the keys that are held straight in the store, beside the server. */
  static async make(store: string, address: string): Promise<KeyRing> {
    const settings = configSchema.parse({ store });
    const limits = { streamsMax: undefined, recordsPerSecondMax: undefined, bytesPerSecondMax: undefined };
    const made: Partial<Record<Held, Holder>> = {};
    for (const held of HELD) {
      const role = held === "neighbour" ? "admin" : held;
      const namespace = held === "neighbour" ? "neighbours" : "default";
      const wanted = { namespace, name: held, roles: [role], expiresAtUs: undefined, ...limits };
      made[held] = await makeKeyInStore(settings, wanted);
    }
    const ring = new KeyRing(made as Record<Held, Holder>);
    await until(async () => (await ring.whoseKeyFails(address)).length === 0);
    return ring;
  }

  get made(): number {
    return this.#everMade.size;
  }

  add({ keyId, secret }: Holder): void {
    this.#everMade.add(keyId);
    this.live.set(keyId, secret);
  }

  revoked(keyId: string): void {
    const secret = this.live.get(keyId);
    if (secret !== undefined) this.#revoked.set(keyId, secret);
    this.live.delete(keyId);
  }

  /** Whether the campaign may change it. */
  owns(keyId: string): boolean {
    return this.#everMade.has(keyId);
  }

  /** A secret in what was said to somebody who should not read one. */
  secretIn(text: string): string | undefined {
    const holders = Object.values(this.held);
    for (const [keyId, secret] of this.live) holders.push({ keyId, secret });
    return holders.find(({ secret }) => text.includes(secret.split("_").slice(2).join("_")))?.keyId;
  }

  /** What is wrong with the keys after everything. */
  async problems(address: string): Promise<string[]> {
    const found = (await this.whoseKeyFails(address)).map((held) => `the key of ${held} does not work any more`);
    found.push(...(await this.#differencesOfList(address)));
    const tried = [...this.#revoked].slice(-TRIED_MAX);
    const works = async () => {
      const endings = await Promise.all(tried.map(([, secret]) => endingOfConfig(address, secret)));
      return tried.filter((_, at) => endings[at] !== "UNAUTHENTICATED").map(([keyId]) => keyId);
    };
    await until(async () => (await works()).length === 0).catch(() => undefined);
    for (const keyId of await works()) found.push(`the key ${keyId} was revoked and works`);
    return found;
  }

  async whoseKeyFails(address: string): Promise<Held[]> {
    const endings = await Promise.all(HELD.map((held) => endingOfConfig(address, this.held[held].secret)));
    return HELD.filter((_, at) => endings[at] !== "OK");
  }

  /** The server's live keys are those that are held here, no more and no fewer. */
  async #differencesOfList(address: string): Promise<string[]> {
    const expected = new Set([
      ...this.live.keys(),
      ...["admin", ...LESSER].map((held) => this.held[held as Held].keyId),
    ]);
    const stubs = new Stubs(address, { authorization: `Bearer ${this.held.admin.secret}` });
    const found: string[] = [];
    try {
      let pageToken = "";
      do {
        const page = await stubs.call("listKeys", { pageSize: 1_000, pageToken });
        for (const { keyId, revokedAtUs, namespace } of page.keys) {
          if (namespace !== "default") found.push(`the list has a key of ${namespace}`);
          if (revokedAtUs === undefined && !expected.delete(keyId))
            found.push(`nobody was given the live key ${keyId}`);
        }
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    } finally {
      stubs.close();
    }
    for (const keyId of expected) found.push(`the key ${keyId} ended, and nobody revoked it`);
    return found;
  }
}

/** How a call that every role may make ends. */
async function endingOfConfig(address: string, secret: string): Promise<string> {
  const stubs = new Stubs(address, { authorization: `Bearer ${secret}` });
  try {
    await stubs.call("getConfig", {});
    return "OK";
  } catch (error) {
    return error instanceof EndedError ? error.ending.status : String(error);
  } finally {
    stubs.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const lastMs = performance.now() + ENDED_MS_MAX;
  while (!(await holds())) {
    if (performance.now() > lastMs) throw new Error("the server did not notice its keys");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export const ROLES: readonly KeyRole[] = [KeyRole.WRITE, KeyRole.READ, KeyRole.ADMIN];
