/** Of the server's own counters, which are of all its connections together. */
export interface Counts {
  readonly connections: number;
  /** Of any kind, as text or prepared; preparing one is not counted here. */
  readonly statements: number;
  readonly prepared: number;
}

/**
 * What the server counted while something was done; the statement that asks for the counters is taken off.
 * @param atLeast what must have been counted: a function that did not reach the server would else seem to cost nothing
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
      throw new Error(`MySQL counted ${counts[name]} ${name} instead of ${atLeast[name]} at least; see what was done.`);
    }
  }
  return counts;
}
