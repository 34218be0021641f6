/** The ingress rules of security groups, which can be written in three ways. */

import { isRecord, type Resource, unknown } from "./rule";

/** A range of addresses that may connect to a range of ports. */
export interface Opening {
  /** IPv4 or IPv6, with its prefix length; or the ID of a prefix list, which may contain any range. */
  readonly range: string;
  readonly from: number;
  readonly to: number;
}

/** Only rules with ranges: a rule that references a security group opens nothing to the outside. */
export function openings({ type, props }: Resource): Opening[] {
  switch (type) {
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
      return opening(props.ipProtocol, props, [props.cidrIpv4, props.cidrIpv6, props.prefixListId]);
    case "aws:ec2/securityGroupRule:SecurityGroupRule":
      return props.type === "ingress" ? inline(props) : [];
    case "aws:ec2/securityGroup:SecurityGroup":
    case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
      return list(props.ingress).filter(isRecord).flatMap(inline);
    default:
      return [];
  }
}

const inline = (rule: Readonly<Record<string, unknown>>) =>
  opening(rule.protocol, rule, [...list(rule.cidrBlocks), ...list(rule.ipv6CidrBlocks), ...list(rule.prefixListIds)]);

function opening(protocol: unknown, ports: Readonly<Record<string, unknown>>, ranges: readonly unknown[]): Opening[] {
  // -1 is every protocol with every port.
  const all = protocol === "-1" || protocol === "all";
  const [from, to] = all ? [0, 65_535] : [portOr(ports.fromPort, 0), portOr(ports.toPort, 65_535)];
  return ranges.filter((range) => typeof range === "string").map((range) => ({ range, from, to }));
}

/** A port that is not known yet counts as any port. */
const portOr = (port: unknown, otherwise: number) =>
  port === unknown || port === undefined || Number(port) < 0 ? otherwise : Number(port);

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Whether every address of the range belongs to private networks (RFC 1918, RFC 4193). */
export function isInternal(range: string): boolean {
  const [address = "", length = "0"] = range.split("/");
  const prefix = Number(length);
  if (address.includes(":")) return /^f[cd]/i.test(address) && prefix >= 7;
  const [first, second] = address.split(".").map(Number);
  return (
    (first === 10 && prefix >= 8) ||
    (first === 172 && second! >= 16 && second! <= 31 && prefix >= 12) ||
    (first === 192 && second === 168 && prefix >= 16)
  );
}
