export { type BackedUp, type BackupProgress, backUp } from "./back-up.js";
export { type Restored, restore } from "./restore.js";
export { type Contents, type Verified, verifyStore } from "./verify.js";
