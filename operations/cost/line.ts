import { type Price, type PriceKey, priceOf, prices } from "./prices";

/** One position of the list. */
export interface Line {
  /** The resource's logical name in the program. */
  readonly of: string;
  /** What is paid for. */
  readonly what: string;
  readonly quantity: number;
  readonly key: string;
  readonly price: Price;
  /** quantity × price, in USD. */
  readonly usd: number;
}

/** A resource whose price is not in the table. It is listed, and never counted as 0. */
export interface NotPriced {
  readonly of: string;
  readonly type: string;
  readonly reason: string;
}

/** The hours of a month in AWS's own calculations. */
export const hoursPerMonth = 730;

/** @param quantity in the price's unit */
export const line = (of: string, what: string, quantity: number, key: PriceKey): Line =>
  priced(of, what, quantity, key, prices[key]);

/** A position whose key was composed from a resource's inputs; undefined where the table has no such price. */
export function lineIfKnown(of: string, what: string, quantity: number, key: string): Line | undefined {
  const price = priceOf(key);
  return price && priced(of, what, quantity, key, price);
}

const priced = (of: string, what: string, quantity: number, key: string, price: Price): Line => ({
  of,
  what,
  quantity,
  key,
  price,
  usd: quantity * price.usd,
});

export const sum = (lines: readonly Line[]): number => lines.reduce((total, { usd }) => total + usd, 0);
