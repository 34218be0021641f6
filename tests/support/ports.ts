/**
 * Gives each of the workers that run test files beside each other, and what runs before them, ports of its own, for all
 * that it starts: a port that was free a moment ago may otherwise be another one's when a server at last listens on it.
 * They begin where the caller's LOCAL_PORTS begins, so that two runs may have a machine in common.
 */
const each = 1_000;
// Told to the workers by the process that runs before them.
process.env.FIRST_TEST_PORT ??= process.env.LOCAL_PORTS?.split("-")[0] ?? "20000";
/** From 1; none before the first file. */
const worker = Number(process.env.VITEST_POOL_ID ?? 0);
const begin = Number(process.env.FIRST_TEST_PORT) + worker * each;
process.env.LOCAL_PORTS = `${begin}-${begin + each - 1}`;
