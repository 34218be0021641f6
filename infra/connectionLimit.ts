/** Pure rules for how many connections an RDS instance takes, and how many of them registrations may hold. */

const GiB = 2 ** 30;
/** The parameter group's default is `max_connections = {DBInstanceClassMemory/12582880}` (RDS user guide, "Quotas"). */
const bytesPerConnection = 12_582_880;

/** Memory (GiB) of the burstable classes below `large`; from there on they have 4 GiB a vCPU, like the m classes. */
const smallGiB: Readonly<Record<string, number>> = { micro: 1, small: 2, medium: 4 };

/**
 * Connections that are not for registrations: RDS's own monitoring keeps two or three open, a deployment and a person
 * who looks after the database need five, `npm run reconcile` and a rotation of the password four.
 */
export const keptConnections = 12;

/**
 * The memory of an instance class in bytes, as RDS lists it.
 *
 * @param instanceClass for example db.t4g.micro
 * @returns undefined for classes it does not know: those beside t2 to t4g and m5, r5 and newer, and metal ones
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
 * How many connections an instance of the class takes by default, at least.
 *
 * `DBInstanceClassMemory` is the class's memory less what the operating system and RDS's own processes take, which AWS
 * does not publish. 256 MiB and a twentieth of the memory stay below every figure that people have read from such
 * instances (66 on a micro, where the whole memory would give 85), by at most a tenth.
 *
 * @returns undefined for a class it does not know: then nothing can be checked
 */
export function connectionLimit(instanceClass: string): number | undefined {
  const memory = memoryOf(instanceClass);
  return memory && Math.floor((memory * 0.95 - GiB / 4) / bytesPerConnection);
}

/** From so many connections on somebody should know: 85 in 100 of the limit. @returns undefined for an unknown class */
export function nearLimit(instanceClass: string): number | undefined {
  const limit = connectionLimit(instanceClass);
  return limit && Math.floor(limit * 0.85);
}

/**
 * What is allowed where a reserved concurrency could exhaust the database: each registration that runs holds one
 * connection. Nothing is checked for a concurrency of 0 (which reserves nothing) or for a class that is not known.
 *
 * @param concurrency `registration.reservedConcurrency`
 * @param classKey the configuration key of the instance class, for the message
 * @returns undefined where it fits
 */
export function reservationFault(concurrency: number, instanceClass: string, classKey: string): string | undefined {
  const limit = connectionLimit(instanceClass);
  if (limit === undefined || concurrency <= limit - keptConnections) return undefined;
  return (
    `at most ${limit - keptConnections} with ${classKey} ${instanceClass}, which takes about ${limit} connections, ` +
    `${keptConnections} of them kept for RDS, deployments and repairs; reserve less or take a larger class`
  );
}
