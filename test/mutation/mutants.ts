/** All planted bugs. One more is one more entry in one of these lists, or another list here. */
import { AUTH_MUTANTS } from "./auth.js";
import { CACHE_MUTANTS } from "./cache.js";
import type { Mutant } from "./mutant.js";
import { PROTOCOL_MUTANTS } from "./protocol.js";
import { SERIES_MUTANTS } from "./series.js";
import { SPILL_MUTANTS } from "./spill.js";
import { STORE_MUTANTS } from "./store.js";

export const MUTANTS: readonly Mutant[] = [
  ...PROTOCOL_MUTANTS,
  ...STORE_MUTANTS,
  ...SPILL_MUTANTS,
  ...CACHE_MUTANTS,
  ...SERIES_MUTANTS,
  ...AUTH_MUTANTS,
];
