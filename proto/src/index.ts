export * from "./gen/tailkeep/v1/admin.js";
export * from "./gen/tailkeep/v1/config.js";
export * from "./gen/tailkeep/v1/history.js";
export * from "./gen/tailkeep/v1/ingest.js";
export * from "./gen/tailkeep/v1/records.js";
export * from "./gen/tailkeep/v1/state.js";
