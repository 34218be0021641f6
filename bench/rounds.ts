/** A series of measurements, in the same unit throughout. */
export type Series = () => Promise<number[]>;

/**
 * Measures every series in each round, one after the other, so that a disturbance of the machine affects all of them.
 * The order changes from round to round, so that no series is always first, or always after the same one.
 * @param afterRound called after each round
 * @returns the measurements, by round
 */
export async function interleaved<Name extends string>(
  rounds: number,
  series: Readonly<Record<Name, Series>>,
  afterRound: () => Promise<void> = async () => {},
): Promise<Record<Name, number[]>[]> {
  const all: Record<Name, number[]>[] = [];
  for (let round = 0; round < rounds; round++) {
    const now: Partial<Record<Name, number[]>> = {};
    for (const name of orderOf(Object.keys(series) as Name[], round)) {
      now[name] = await series[name]();
    }
    all.push(now as Record<Name, number[]>);
    await afterRound();
  }
  return all;
}

/**
 * The order of a round: rotated by one more place every second round, and reversed in every odd round. In 2n rounds
 * each of n items has each place twice.
 */
export function orderOf<T>(items: readonly T[], round: number): T[] {
  const shift = Math.floor(round / 2) % items.length;
  const order = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? order : order.reverse();
}

/** All measurements of one series. */
export const allOf = <Name extends string>(rounds: readonly Record<Name, number[]>[], name: Name): number[] =>
  rounds.flatMap((round) => round[name]);

/** Calls a function several times, one call after the other. @returns the results */
export async function repeated(count: number, call: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await call());
  return values;
}
