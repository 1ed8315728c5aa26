export { type MigrationEvents, type MigrationResult, runMigration } from "./run.js";
