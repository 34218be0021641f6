import { type Price, type PriceKey, priceOf, prices } from "./prices";

/** One position of the list. */
export interface Line {
  /** Whose it is, in the program's words: the resource's logical name. */
  readonly of: string;
  /** What is paid for. */
  readonly what: string;
  readonly quantity: number;
  readonly key: string;
  readonly price: Price;
  /** quantity × price, in USD. */
  readonly usd: number;
}

/** What costs something that the table does not know. Never counted as 0: it is listed. */
export interface NotPriced {
  readonly of: string;
  readonly type: string;
  readonly reason: string;
}

/** AWS's own month. */
export const hoursPerMonth = 730;

/** @param quantity in the price's unit */
export const line = (of: string, what: string, quantity: number, key: PriceKey): Line =>
  priced(of, what, quantity, key, prices[key]);

/** A position whose key was put together from what a resource says; undefined where the table has no such price. */
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
