/**
 * Seeds that find, today, what others have found before. What a seed does changes with the simulator, so each of these bugs
 * is also planted again by `npm run mutants`, which prints the seeds, and has a test of its own.
 */
export const SEEDS_OF_BUGS: readonly number[] = [
  // A cache kept what it had while it was cold, though the database had forgotten it (unit/server/restored-cache).
  1086,
  // What was dropped, and then forgotten by a restored database, was counted twice (unit/recorder/lost-records).
  284, 850,
  // What a database had forgotten stayed pending for ever where the answer that said so was lost (the same test).
  4838, 5449, 6293, 6609, 9681, 10246,
];
