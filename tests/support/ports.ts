/**
 * Gives each worker that runs test files in parallel, and the global setup, its own range of ports for all servers that
 * it starts. Otherwise another worker could take a port between the check that it is free and the server's start. The
 * ranges begin where the caller's LOCAL_PORTS begins, so that two runs can share a machine.
 */
const each = 1_000;
// The workers inherit it from the process of the global setup.
process.env.FIRST_TEST_PORT ??= process.env.LOCAL_PORTS?.split("-")[0] ?? "20000";
/** Workers count from 1; the global setup has no number. */
const worker = Number(process.env.VITEST_POOL_ID ?? 0);
const begin = Number(process.env.FIRST_TEST_PORT) + worker * each;
process.env.LOCAL_PORTS = `${begin}-${begin + each - 1}`;
