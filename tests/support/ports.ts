/**
 * Gives each of the workers that run test files beside each other ports of its own, for all that it starts: a port
 * that was free a moment ago may otherwise be another worker's when a server at last listens on it.
 */
const [first, each] = [20_000, 1_000];
const begin = first + Number(process.env.VITEST_POOL_ID) * each;
process.env.LOCAL_PORTS = `${begin}-${begin + each - 1}`;
