/** What AWS refuses because something else is not there yet, or still is, and what takes it so long that this shows. */
import type { Cloud, Thing } from "./cloud";
import type { Properties, Subject } from "./provider";

const gateway = "aws:ec2/internetGateway:InternetGateway";
const member = "aws:rds/clusterInstance:ClusterInstance";

/** Instances that a cluster has. */
export const membersOf = (cloud: Cloud, cluster: unknown): Thing[] =>
  cloud.things().filter(({ type, inputs }) => type === member && inputs.clusterIdentifier === cluster);

/** @throws Error where AWS would refuse to make the resource, or to change it so */
export function mayBe(cloud: Cloud, { type }: Subject, { publiclyAccessible, dbClusterIdentifier }: Properties): void {
  if (publiclyAccessible === true && !cloud.things().some((thing) => thing.type === gateway)) {
    const reason = "The specified VPC has no internet gateway attached.";
    throw new Error(`InvalidVPCNetworkStateFault: Cannot create a publicly accessible DBInstance. ${reason}`);
  }
  const isTarget = type === "aws:rds/proxyTarget:ProxyTarget" && dbClusterIdentifier !== undefined;
  if (isTarget && membersOf(cloud, dbClusterIdentifier).length < 2) {
    throw new Error(`InvalidDBInstanceState: an instance of ${dbClusterIdentifier} is CREATING, needs to be AVAILABLE`);
  }
}

/** @throws Error where AWS would refuse to delete it */
export function mayGo(cloud: Cloud, { type }: Subject): void {
  if (type === gateway && cloud.things().some(({ inputs }) => inputs.publiclyAccessible === true)) {
    throw new Error(
      "DependencyViolation: The network has mapped public addresses. Unmap them before detaching the gateway.",
    );
  }
}

/** How long (ms) it takes to make what others must wait for, so that what does not wait comes before it. */
const durations: Readonly<Record<string, number>> = { [gateway]: 6000, [member]: 2000 };

export const takesTime = ({ type }: Subject): Promise<void> =>
  new Promise((done) => setTimeout(done, durations[type] ?? 0));
