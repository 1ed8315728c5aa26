export { type MysqlFamilyOptions, startMysqlFamily } from "./mysql-family.js";
export { startMysql9 } from "./mysql9.js";
export { sharedMysql9, sharedMysqlFamily } from "./shared.js";
export {
  type DatabaseKind,
  type DatabaseServer,
  isSkipped,
  type PrivateDatabaseServer,
  type PrivateServerOptions,
  type Skipped,
} from "./types.js";
