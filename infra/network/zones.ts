import { UserError } from "../errors/userErrors";

/** What EC2 tells of a region's availability zones: names and identifiers in the same order. */
export interface Zones {
  /** As this account calls them, for example us-east-1a. */
  readonly names: readonly string[];
  /** The same zone in every account, for example use1-az3. */
  readonly zoneIds: readonly string[];
}

/**
 * Zones that RDS Proxy does not support. Taken only where the account has no others: without a proxy they do, and with
 * one AWS refuses it when it is made.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations
 */
const withoutProxy = ["use1-az3", "usw1-az2"];

/**
 * The zones for the network, by name.
 *
 * @throws UserError where the region has fewer than `count`
 */
export function chooseZones({ names, zoneIds }: Zones, count: number): string[] {
  if (names.length < count) {
    throw new UserError(
      `The network needs ${count} available zones, and the region has ${names.length}. Choose another aws:region, or ` +
        "wait where one of its zones is unavailable just now.",
    );
  }
  const poor = (index: number) => withoutProxy.includes(zoneIds[index] ?? "");
  const [good, rest] = [names.filter((_, index) => !poor(index)), names.filter((_, index) => poor(index))];
  return [...good, ...rest].slice(0, count);
}
