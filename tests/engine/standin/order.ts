/** What AWS refuses because another resource is missing or still exists, and delays that reveal a wrong order. */
import type { Cloud, Thing } from "./cloud";
import type { Properties, Subject } from "./provider";

const gateway = "aws:ec2/internetGateway:InternetGateway";
const member = "aws:rds/clusterInstance:ClusterInstance";
const proxyTarget = "aws:rds/proxyTarget:ProxyTarget";

/** Instances that a cluster has. */
export const membersOf = (cloud: Cloud, cluster: unknown): Thing[] =>
  cloud.things().filter(({ type, inputs }) => type === member && inputs.clusterIdentifier === cluster);

/**
 * Type that an owner can have only once → the input with the owner, the inputs that distinguish two of them, and AWS's
 * error for a second one.
 */
const single: Readonly<Record<string, { owner: string; identity: readonly string[]; refusal: string }>> = {
  "aws:cognito/userPoolDomain:UserPoolDomain": {
    owner: "userPoolId",
    identity: ["domain"],
    refusal: "InvalidParameterException: User pool already has a domain configured.",
  },
  [proxyTarget]: {
    owner: "dbProxyName",
    identity: ["dbInstanceIdentifier", "dbClusterIdentifier"],
    refusal:
      "DBProxyTargetAlreadyRegisteredFault: a target group is associated with exactly one DB instance or Aurora DB cluster",
  },
};

/** @throws Error if AWS would refuse to create the resource with these inputs, or to change it to them */
export function assertMayExist(cloud: Cloud, { type }: Subject, inputs: Properties): void {
  const { publiclyAccessible, dbClusterIdentifier } = inputs;
  const { owner, identity, refusal } = single[type] ?? {};
  const second = ({ type: other, inputs: its }: Thing) =>
    other === type && its[owner!] === inputs[owner!] && identity!.some((key) => its[key] !== inputs[key]);
  if (owner !== undefined && cloud.things().some(second)) throw new Error(refusal);
  if (publiclyAccessible === true && !cloud.things().some((thing) => thing.type === gateway)) {
    const reason = "The specified VPC has no internet gateway attached.";
    throw new Error(`InvalidVPCNetworkStateFault: Cannot create a publicly accessible DBInstance. ${reason}`);
  }
  const isTarget = type === proxyTarget && dbClusterIdentifier !== undefined;
  if (isTarget && membersOf(cloud, dbClusterIdentifier).length < 2) {
    throw new Error(`InvalidDBInstanceState: an instance of ${dbClusterIdentifier} is CREATING, needs to be AVAILABLE`);
  }
}

/** @throws Error if AWS would refuse to delete the resource */
export function assertMayDelete(cloud: Cloud, { type }: Subject): void {
  if (type === gateway && cloud.things().some(({ inputs }) => inputs.publiclyAccessible === true)) {
    throw new Error(
      "DependencyViolation: The network has mapped public addresses. Unmap them before detaching the gateway.",
    );
  }
}

/** Creation times (ms) of resources that others must wait for: a resource that does not wait is created before them. */
const durations: Readonly<Record<string, number>> = { [gateway]: 6000, [member]: 2000 };

export const waitForCreation = ({ type }: Subject): Promise<void> =>
  new Promise((done) => setTimeout(done, durations[type] ?? 0));
