import { UserError } from "../errors/userErrors";

/** EC2's list of a region's availability zones: names and identifiers in the same order. */
export interface Zones {
  /** The names in this account, for example us-east-1a. */
  readonly names: readonly string[];
  /** The same zone in every account, for example use1-az3. */
  readonly zoneIds: readonly string[];
}

/**
 * Zones that RDS Proxy does not support. Used only if the account has no others: without a proxy they are sufficient,
 * and with a proxy AWS refuses to make it.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html#rds-proxy.limitations
 */
const withoutProxy = ["use1-az3", "usw1-az2"];

/**
 * The zones for the network, by name.
 *
 * @throws UserError if the region has fewer than `count`
 */
export function chooseZones({ names, zoneIds }: Zones, count: number): string[] {
  if (names.length < count) {
    throw new UserError(
      `The network needs ${count} available zones, and the region has ${names.length}. Choose another aws:region, or ` +
        "wait if one of its zones is temporarily unavailable.",
    );
  }
  const unsupported = (index: number) => withoutProxy.includes(zoneIds[index] ?? "");
  const preferred = names.filter((_, index) => !unsupported(index));
  const others = names.filter((_, index) => unsupported(index));
  return [...preferred, ...others].slice(0, count);
}
