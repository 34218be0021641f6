/** Values of the server's own counters, which include all its connections. */
export interface Counts {
  readonly connections: number;
  /** Executed statements, as text or prepared; the preparing itself is not included. */
  readonly statements: number;
  readonly prepared: number;
}

/**
 * The server's counts during some work, without the statement that reads the counters.
 * @param atLeast the minimum counts: otherwise a function that did not reach the server would seem to cost nothing
 * @throws Error where less was counted
 */
export async function counted(
  platform: { counters(): Promise<Counts> },
  atLeast: Partial<Counts>,
  work: () => Promise<unknown>,
): Promise<Counts> {
  const before = await platform.counters();
  await work();
  const after = await platform.counters();
  const counts = {
    connections: after.connections - before.connections,
    statements: after.statements - before.statements - 1,
    prepared: after.prepared - before.prepared,
  };
  for (const name of Object.keys(atLeast) as (keyof Counts)[]) {
    if (counts[name] < atLeast[name]!) {
      throw new Error(`MySQL counted ${counts[name]} ${name} instead of ${atLeast[name]} or more.`);
    }
  }
  return counts;
}
