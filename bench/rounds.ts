/** A series of measurements, in the same unit throughout. */
export type Series = () => Promise<number[]>;

/**
 * Measures every series in each round, one after the other, so that what disturbs the machine disturbs all of them. The
 * order changes from round to round, so that none is always first, or always after the same one.
 * @param afterRound done between the rounds
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

/** Moved on by one every second round, and backwards in those between: after twice as many, each had each place twice. */
export function orderOf<T>(items: readonly T[], round: number): T[] {
  const shift = Math.floor(round / 2) % items.length;
  const order = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? order : order.reverse();
}

/** One series of all rounds together. */
export const allOf = <Name extends string>(rounds: readonly Record<Name, number[]>[], name: Name): number[] =>
  rounds.flatMap((round) => round[name]);

/** Calls one after the other. @returns what each returned */
export async function repeated(count: number, call: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await call());
  return values;
}
