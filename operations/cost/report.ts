import type { Fixed } from "./fixedCosts";
import { type Line, type NotPriced, sum } from "./line";
import { prices } from "./prices";
import { assumptions, type Thousand } from "./variableCosts";

/** The prices of one stack. */
export interface Cost {
  readonly stack: string;
  readonly region: string;
  readonly fixed: Fixed;
  readonly signUps: Thousand;
  readonly uploads: Thousand;
}

/** For people: a list to read from top to bottom. */
export function textReport({ stack, region, fixed, signUps, uploads }: Cost): string {
  const dates = [...new Set(Object.values(prices).map(({ lookedUp }) => lookedUp))].sort();
  const missing = allMissing(fixed, signUps, uploads);
  const parts = [
    `Stack ${stack} in ${region}: USD, on demand, without free tiers and taxes; prices looked up ${dates.join(", ")}`,
    ["Fixed, each month", ...table(dearestFirst(fixed.lines)), total("a month", fixed.lines)],
    ["1,000 sign-ups", ...table(signUps.lines), total("for 1,000 sign-ups", signUps.lines)],
    ["1,000 uploads of 1 MB", ...table(uploads.lines), total("for 1,000 uploads", uploads.lines)],
    ["By use, not in the totals", ...fixed.byUse.map(byUse)],
    [free(fixed)],
    missing.length > 0
      ? ["Not priced, and in no total", ...missing.map(({ of, type, reason }) => `  ${of} (${type}): ${reason}`)]
      : [],
    [
      `Assumed: ${assumptions.secondsPerCall} s a call of a function, ${assumptions.logKilobytesPerCall} kB of log a call, ` +
        "one reading of the secret a sign-up, one preflight an upload.",
      "Left out: AWS's free allowances, of which Cognito's is the largest (10,000 monthly users of an account, unverified).",
      "\"unverified\" marks a price that could not be read in AWS's own list; operations/cost/prices.ts names each price's page.",
    ],
  ];
  return parts
    .map((part) => (Array.isArray(part) ? part.join("\n") : part))
    .filter((part) => part !== "")
    .join("\n\n");
}

/** For machines: the same content as JSON. Sums are in USD and not rounded. */
export function jsonReport({ stack, region, fixed, signUps, uploads }: Cost): string {
  const listed = (lines: readonly Line[]) => ({
    lines,
    total: sum(lines),
    unverified: sum(lines.filter(isUnverified)),
  });
  return JSON.stringify({
    stack,
    region,
    currency: "USD",
    fixedPerMonth: listed(fixed.lines),
    perThousandSignUps: listed(signUps.lines),
    perThousandUploads: listed(uploads.lines),
    byUse: fixed.byUse,
    free: Object.fromEntries(fixed.free),
    notPriced: allMissing(fixed, signUps, uploads),
    assumptions,
  });
}

const dearestFirst = (lines: readonly Line[]) => [...lines].sort((one, other) => other.usd - one.usd);
const isUnverified = ({ price }: Line) => !price.verified;
const mark = (found: Line) => (isUnverified(found) ? "  unverified" : "");

function allMissing(...sections: readonly { notPriced: readonly NotPriced[] }[]): NotPriced[] {
  return sections.flatMap(({ notPriced }) => notPriced);
}

function table(lines: readonly Line[]): string[] {
  const rows = lines.map((found) => ({ found, label: `${found.of}: ${found.what}`, count: counted(found) }));
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  const countWidth = Math.max(0, ...rows.map(({ count }) => count.length));
  return rows.map(
    ({ found, label, count }) =>
      `  ${label.padEnd(width)}  ${count.padEnd(countWidth)}  ${dollars(found.usd).padStart(9)}${mark(found)}`,
  );
}

const counted = ({ quantity, price }: Line) => `${number(quantity)} × ${price.usd}/${price.unit}`;
const byUse = (found: Line) => `  ${found.what}: ${found.price.usd}/${found.price.unit}${mark(found)}`;

function total(of: string, lines: readonly Line[]): string {
  const unverified = lines.filter(isUnverified);
  const share = unverified.length > 0 ? `, of it ${dollars(sum(unverified))} unverified` : "";
  return `  total ${of}: ${dollars(sum(lines))} USD${share}`;
}

function free({ free: without }: Fixed): string {
  const many = [...without.values()].reduce((count, next) => count + next, 0);
  return `Without a fixed price: ${many} resources of ${without.size} types`;
}

/** Cents, and more digits where cents would hide the price. */
const dollars = (usd: number) => usd.toFixed(usd === 0 || usd >= 0.1 ? 2 : 4);
const number = (quantity: number) => String(Number(quantity.toFixed(4)));
