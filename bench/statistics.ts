import { readable } from "./figures";

/** The median and the spread of a series of measurements, all in the unit of the measurements. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  /** The lower quartile. */
  readonly lower: number;
  /** The upper quartile. */
  readonly upper: number;
  readonly p99: number;
}

/** @throws Error where there are no values, or one of them is not a finite number */
export function summarize(values: readonly number[]): Summary {
  const at = (share: number) => quantile(values, share);
  return { count: values.length, median: at(0.5), lower: at(0.25), upper: at(0.75), p99: at(0.99) };
}

/**
 * The value below which this share of the values is, interpolated between neighbours.
 * @param share 0 to 1
 * @throws as `summarize`
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error("The series is empty: no value was measured.");
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new Error(`A measured value is ${wrong}; allowed: finite numbers.`);
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  return below + (sorted[Math.ceil(position)]! - below) * (position % 1);
}

/** The median and the quartiles, for the screen. */
export const spread = ({ median, lower, upper }: Summary, unit: string): string =>
  `${readable(median)} ${unit} (${readable(lower)} to ${readable(upper)})`;

/** The least and the most of some values, for the screen. */
export const range = (values: readonly number[]): string =>
  `${readable(Math.min(...values))} to ${readable(Math.max(...values))}`;
