/**
 * Gives each of the workers that run test files beside each other, and what runs before them, ports of its own, for all
 * that it starts: a port that was free a moment ago may otherwise be another one's when a server at last listens on it.
 */
const [first, each] = [20_000, 1_000];
/** From 1; none before the first file. */
const worker = Number(process.env.VITEST_POOL_ID ?? 0);
const begin = first + worker * each;
process.env.LOCAL_PORTS = `${begin}-${begin + each - 1}`;
