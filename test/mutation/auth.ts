/** Planted bugs in who may do what: keys, roles, namespaces, TLS and the limits of a key. */
import type { Catcher, Mutant } from "./mutant.js";

const byTest = (filter: string, named?: string): Catcher =>
  named === undefined ? { by: "test", filter } : { by: "test", filter, named };

const DIRECTORY = "server/dist/access/key-directory.js";
const QUOTA = "server/dist/access/key-quota.js";
const TLS = "server/dist/access/tls-files.js";

export const AUTH_MUTANTS: readonly Mutant[] = [
  {
    name: "a secret counts although its hash is another",
    area: "auth",
    file: "server/dist/access/secret.js",
    edits: [
      { find: "one.length === other.length && timingSafeEqual(one, other)", replace: "one.length === other.length" },
    ],
    catcher: byTest("process/access/matrix"),
  },
  {
    name: "secrets are stored as they are",
    area: "auth",
    file: "server/dist/access/secret.js",
    edits: [{ find: 'createHash("sha256").update(secret).digest()', replace: "Buffer.from(secret)" }],
    catcher: byTest("process/access/secrets"),
  },
  {
    name: "a revoked key's open calls go on",
    area: "auth",
    file: DIRECTORY,
    edits: [
      {
        find: "            this.#entries.delete(keyId);\n            this.#endKey(entry);\n        }\n        for",
        replace: "            this.#entries.delete(keyId);\n        }\n        for",
      },
    ],
    catcher: byTest("process/access/keys", "by revocation ends its streams"),
  },
  {
    name: "a key does not expire",
    area: "auth",
    file: DIRECTORY,
    edits: [{ find: "expiresAtUs !== null && expiresAtUs <= nowUs", replace: "false" }],
    catcher: byTest("process/access/keys", "by time ends them too"),
  },
  {
    name: "a rotated secret ends at once, whatever its grace",
    area: "auth",
    file: DIRECTORY,
    edits: [{ find: "(previousUntilUs ?? 0) <= nowUs", replace: "true" }],
    catcher: byTest("process/access/keys", "loses nothing: the old secret goes on"),
  },
  {
    name: "a rotated secret goes on although it had no grace",
    area: "auth",
    file: "server/dist/access/keys-service.js",
    edits: [{ find: "graceSeconds === 0 ? null : nowUs + graceSeconds * 1_000_000", replace: "nowUs + 3_600_000_000" }],
    catcher: byTest("process/access/keys", "without a grace ends the old secret"),
  },
  {
    name: "the door stays open once there are keys",
    area: "auth",
    file: DIRECTORY,
    edits: [{ find: "if (this.required) {", replace: "if (false) {" }],
    catcher: byTest("process/access/keys", "is open until the first key is made"),
  },
  {
    name: "every key is of the same namespace",
    area: "auth",
    file: DIRECTORY,
    edits: [
      {
        find: "const { keyId, namespace } = row;",
        replace: 'const { keyId } = row;\n    const namespace = "default";',
      },
    ],
    catcher: byTest("process/access/keys", "of another tenant is as if it were not there"),
  },
  {
    name: "whoever may read may write",
    area: "auth",
    file: "server/dist/access/permissions.js",
    edits: [
      {
        find: '"/tailkeep.v1.IngestService/WriteRecords": WRITE',
        replace: '"/tailkeep.v1.IngestService/WriteRecords": BOTH',
      },
    ],
    catcher: byTest("process/access/matrix"),
  },
  {
    name: "roles are not looked at",
    area: "auth",
    file: "server/dist/access/permissions.js",
    edits: [{ find: 'permission === "open" || roles', replace: 'permission !== "none" || roles' }],
    catcher: byTest("unit/access/permissions"),
  },
  {
    name: "a key's streams are not counted",
    area: "auth",
    file: QUOTA,
    edits: [{ find: "if (this.#streams >= this.#streamsMax)", replace: "if (false)" }],
    catcher: byTest("process/access/limits", "streams beyond the key's number"),
  },
  {
    name: "a key's records are not counted",
    area: "auth",
    file: QUOTA,
    edits: [{ find: "this.#records.take(records, nowMs);", replace: "" }],
    catcher: byTest("process/access/limits"),
  },
  {
    name: "a key's bytes are not counted",
    area: "auth",
    file: QUOTA,
    edits: [{ find: "this.#bytes.take(bytes, nowMs);", replace: "" }],
    catcher: byTest("process/access/limits"),
  },
  {
    name: "renewed certificates are not used",
    area: "auth",
    file: TLS,
    edits: [{ find: "files.onChange(() => this.updateSecureContextOptions(files.options));", replace: "" }],
    catcher: byTest("process/access/tls", "are used for new connections"),
  },
  {
    name: "clients' certificates are asked for and not checked",
    area: "auth",
    file: TLS,
    edits: [{ find: "rejectUnauthorized: true", replace: "rejectUnauthorized: false" }],
    catcher: byTest("process/access/tls", "are asked for where an authority"),
  },
  {
    name: "anybody beyond loopback is served without TLS",
    area: "auth",
    file: "server/dist/serve.js",
    edits: [
      {
        find: "const isProtected = tls !== undefined || config.allowUnprotected;",
        replace: "const isProtected = true;",
      },
    ],
    catcher: byTest("process/access/tls", "nothing is listened on without TLS"),
  },
];
