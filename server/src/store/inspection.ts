/** What can be learned of a store without becoming its server: nothing is written, made or migrated. */
import type { AuditFinding } from "./store.js";

export type Inspection =
  /** It answered. */
  | {
      readonly kind: "inspected";
      /** "SQLite 3.53.4", "MariaDB 10.11.14". */
      readonly engine: string;
      readonly findings: readonly AuditFinding[];
      /** Schema found, 0 where there is none yet. */
      readonly schemaVersion: number;
      /** Database's clock minus host's, where it has one of its own. */
      readonly clockAheadMs: number | undefined;
      /** Day that new rows are stored under, `YYYY-MM-DD`; undefined where there is none yet. */
      readonly storingDay: string | undefined;
    }
  /** Nothing is there yet; the first start makes it. */
  | { readonly kind: "absent"; readonly where: string }
  /** A running server has it to itself, and is the one to ask. */
  | { readonly kind: "held"; readonly where: string };
