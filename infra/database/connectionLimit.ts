/** Pure rules: how many connections an RDS instance accepts, and how many of them registrations may use. */

const GiB = 2 ** 30;
/** The parameter group's default is `max_connections = {DBInstanceClassMemory/12582880}` (RDS user guide, "Quotas"). */
const bytesPerConnection = 12_582_880;

/** Memory (GiB) of the burstable classes below `large`; larger ones have 4 GiB per vCPU, like the m classes. */
const smallGiB: Readonly<Record<string, number>> = { micro: 1, small: 2, medium: 4 };

/**
 * Connections that are not for registrations: RDS's own monitoring keeps two or three open, a deployment and an
 * operator need five, `npm run reconcile` and a rotation of the password four.
 */
export const keptConnections = 12;

/**
 * The memory of an instance class in bytes, as RDS lists it.
 *
 * @param instanceClass for example db.t4g.micro
 * @returns undefined for classes that are not known here: all but t2 to t4g, m5, r5 and newer, and all metal classes
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
 */
function memoryOf(instanceClass: string): number | undefined {
  const [, family, size = ""] = /^db\.(t[234]g?|[mr][5-9][a-z]*)\.([a-z0-9]+)$/.exec(instanceClass) ?? [];
  if (family === undefined) return undefined;
  if (family.startsWith("t") && Object.hasOwn(smallGiB, size)) return smallGiB[size]! * GiB;
  const [, times] = /^(\d*)x?large$/.exec(size) ?? [];
  if (times === undefined) return undefined;
  const vcpus = size === "large" ? 2 : 4 * Number(times || 1);
  return vcpus * (family.startsWith("r") ? 8 : 4) * GiB;
}

/**
 * How many connections an instance of the class accepts by default, at least.
 *
 * `DBInstanceClassMemory` is the class's memory less what the operating system and RDS's own processes take, which AWS
 * does not publish. 256 MiB and a twentieth of the memory give at most a tenth less than every figure that
 * people have measured on such instances (66 on a micro, where the whole memory would give 85).
 *
 * @returns undefined for an unknown class: then nothing can be checked
 */
export function connectionLimit(instanceClass: string): number | undefined {
  const memory = memoryOf(instanceClass);
  return memory && Math.floor((memory * 0.95 - GiB / 4) / bytesPerConnection);
}

/**
 * Memory in GiB → `max_connections` of Aurora MySQL: its classes from t3.small to r5.16xlarge (Aurora user guide,
 * "Maximum connections to an Aurora MySQL DB instance").
 */
const auroraSteps: readonly (readonly [number, number])[] = [
  [2, 45],
  [4, 90],
  [8, 135],
  [16, 1000],
  [32, 2000],
  [64, 3000],
  [128, 4000],
  [256, 5000],
];

/**
 * How many connections Aurora Serverless v2 accepts by default, at least: the number of the largest provisioned class
 * with no more memory. AWS derives it from the largest capacity, not from the current capacity.
 *
 * @param maxMemoryGiB the largest capacity in GiB, from 2; two of them are one Aurora capacity unit
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
 */
export function auroraConnectionLimit(maxMemoryGiB: number): number {
  return Math.max(...auroraSteps.filter(([memory]) => memory <= maxMemoryGiB).map(([, connections]) => connections));
}

/** The number of connections from which on an alarm rings: 85 in 100 of the limit. */
export const nearLimit = (limit: number) => Math.floor(limit * 0.85);

/**
 * The share of the database's connections (percent) that RDS Proxy may open; the others are {@link keptConnections}.
 */
export const proxyPercent = 75;

/**
 * What is allowed if a reserved concurrency could exhaust the database: each running registration holds one connection,
 * also with RDS Proxy, which gives a session that prepares statements a connection of its own (RDS user guide,
 * "Avoiding pinning"). Nothing is checked for a concurrency of 0 (which reserves nothing), or if the limit is not
 * known.
 *
 * @param concurrency `registration.reservedConcurrency`
 * @param limit the connections that the database accepts; undefined if it is not known
 * @param size the configuration key that decides the limit, and its value, for the message
 * @param proxy whether the connections go through RDS Proxy
 * @returns undefined if the concurrency is allowed
 */
export function reservationIssue(
  concurrency: number,
  limit: number | undefined,
  size: string,
  proxy: boolean,
): string | undefined {
  if (limit === undefined) return undefined;
  const most = Math.min(limit - keptConnections, proxy ? Math.floor((limit * proxyPercent) / 100) : limit);
  if (concurrency <= most) return undefined;
  const kept = proxy
    ? `of which RDS Proxy may open ${proxyPercent} in 100`
    : `${keptConnections} of them kept for RDS, deployments and repairs`;
  return `at most ${most} with ${size}, which takes about ${limit} connections, ${kept}; reserve less or take a larger one`;
}
