/**
 * Seeds that have found something. What they do changes with the simulator; what they found has a test of its own as well,
 * named here.
 */
export const SEEDS_OF_BUGS: readonly number[] = [
  // A restored database: a tail from the cache had records that the database had forgotten (unit/server/restored-cache).
  478,
  1086, 1264, 2745,
  // A restored database: what had been dropped before it was acked was counted twice (unit/recorder/regressed-ledger).
  850, 1297, 2286,
];
