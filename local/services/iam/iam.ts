import { createHmac, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import type { LocalService, ServiceContext } from "../../lib/service";
import { physicalName, shortHash } from "../aws/names";
import { evaluate, type PolicyRequest } from "./evaluate";
import { managedPolicies } from "./managedPolicies";
import { checkedPolicy, type PolicyDocument } from "./policy";

/** What an AWS SDK needs to sign requests. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Whether an access is allowed, and the reason as a sentence. */
export interface Authorization {
  readonly allowed: boolean;
  readonly reason: string;
}

interface Role {
  readonly arn: string;
  readonly trust: PolicyDocument;
  /** Inline policies by name. */
  readonly inline: Map<string, PolicyDocument>;
  /** ARNs of attached policies. */
  readonly attached: Set<string>;
}

/**
 * The roles and policies that the program registered; decides which role may do what.
 * Policies are evaluated at each request: they may be registered after their role, and a change applies at once.
 */
export class Iam implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:iam/role:Role": (resource) => this.#makeRole(resource),
    "aws:iam/rolePolicy:RolePolicy": (resource) => this.#makeRolePolicy(resource),
    "aws:iam/policy:Policy": (resource) => this.#makePolicy(resource),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (resource) => this.#attach(resource),
  };

  /** May do everything; for the person at this machine and for tests. Derived from the data folder's random key. */
  readonly administrator: Credentials;

  readonly #accountId: string;
  readonly #key: Buffer;
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, PolicyDocument>();
  readonly #secrets = new Map<string, string>();
  readonly #roleOfKey = new Map<string, string>();

  constructor(context: Pick<ServiceContext, "directory" | "accountId">) {
    this.#accountId = context.accountId;
    this.#key = keptKey(context.directory);
    this.administrator = this.#derive("administrator", "AKIA");
    this.#secrets.set(this.administrator.accessKeyId, this.administrator.secretAccessKey);
  }

  async close(): Promise<void> {}

  /**
   * Whether the role's policies allow an action on a resource.
   * @param context condition keys of the request, for example `{ "aws:SourceArn": "arn:…" }`.
   */
  authorize(roleArn: string, action: string, resource: string, context?: PolicyRequest["context"]): Authorization {
    const role = this.#roles.get(roleArn);
    if (!role) return { allowed: false, reason: `there is no role ${roleArn}` };
    const decision = evaluate(this.#documentsOf(role), { action, resource, context });
    const explanation = {
      allow: `allows ${action} on ${resource}`,
      implicitDeny: `no statement allows ${action} on ${resource}`,
      explicitDeny: `a statement denies ${action} on ${resource}`,
    }[decision];
    return { allowed: decision === "allow", reason: `role ${nameOf(roleArn)}: ${explanation}` };
  }

  /** Whether the role's trust policy lets a service (`lambda.amazonaws.com`) assume it; false for an unknown role. */
  assumableBy(roleArn: string, service: string, context?: PolicyRequest["context"]): boolean {
    const role = this.#roles.get(roleArn);
    if (!role) return false;
    const principal = { type: "Service", name: service } as const;
    const keys = { "aws:SourceAccount": this.#accountId, ...context };
    return (
      evaluate([role.trust], { action: "sts:AssumeRole", resource: roleArn, principal, context: keys }) === "allow"
    );
  }

  /** The credentials that a service gets when it assumes the role: the same on every start. */
  credentialsFor(roleArn: string): Credentials {
    if (!this.#roles.has(roleArn)) throw new Error(`There is no role ${roleArn}; roles: ${this.#list()}.`);
    return this.#derive(roleArn, "ASIA");
  }

  /** The role of an access key; undefined for the administrator's key and for unknown keys. */
  roleOf(accessKeyId: string): string | undefined {
    return this.#roleOfKey.get(accessKeyId);
  }

  /** The secret that belongs to an access key, to verify a signature with; undefined for an unknown key. */
  secretOf(accessKeyId: string): string | undefined {
    return this.#secrets.get(accessKeyId);
  }

  /** Whether the owner of an access key may do this: the administrator always, a role if its policies allow it. */
  authorizeKey(accessKeyId: string, action: string, resource: string): Authorization {
    if (accessKeyId === this.administrator.accessKeyId) return { allowed: true, reason: "administrator" };
    const role = this.roleOf(accessKeyId);
    return role ? this.authorize(role, action, resource) : { allowed: false, reason: "unknown access key" };
  }

  #makeRole(resource: ResourceRegistration): CreateResult {
    const { inputs } = resource;
    const name = physicalName(resource);
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
      throw provisioningError(
        resource,
        `its name is ${JSON.stringify(name)}; allowed: 1 to 64 letters, digits and _+=,.@-`,
      );
    }
    const path = typeof inputs.path === "string" ? inputs.path : "/";
    const arn = `arn:aws:iam::${this.#accountId}:role${path}${name}`;
    const trust = checkedPolicy(resource, "assumeRolePolicy", inputs.assumeRolePolicy, "trust");
    const inline = (inputs.inlinePolicies ?? []) as { name?: string; policy?: unknown }[];
    const attached = (inputs.managedPolicyArns ?? []) as string[];
    for (const policyArn of attached) this.#checkAttachable(resource, policyArn);
    this.#roles.set(arn, {
      arn,
      trust,
      inline: new Map(
        inline.map((p, i) => [
          p.name ?? `inline-${i}`,
          checkedPolicy(resource, `inlinePolicies[${i}]`, p.policy, "identity"),
        ]),
      ),
      attached: new Set(attached),
    });
    const credentials = this.#derive(arn, "ASIA");
    this.#roleOfKey.set(credentials.accessKeyId, arn);
    this.#secrets.set(credentials.accessKeyId, credentials.secretAccessKey);
    const uniqueId = `AROA${shortHash(arn, 17).toUpperCase()}`;
    return { id: name, outputs: { arn, name, path, uniqueId, maxSessionDuration: inputs.maxSessionDuration ?? 3600 } };
  }

  #makeRolePolicy(resource: ResourceRegistration): CreateResult {
    const name = physicalName(resource);
    const role = this.#roleFor(resource);
    role.inline.set(name, checkedPolicy(resource, "policy", resource.inputs.policy, "identity"));
    return { id: `${nameOf(role.arn)}:${name}`, outputs: { name, role: nameOf(role.arn) } };
  }

  #makePolicy(resource: ResourceRegistration): CreateResult {
    const name = physicalName(resource);
    const path = typeof resource.inputs.path === "string" ? resource.inputs.path : "/";
    const arn = `arn:aws:iam::${this.#accountId}:policy${path}${name}`;
    this.#policies.set(arn, checkedPolicy(resource, "policy", resource.inputs.policy, "identity"));
    return { id: arn, outputs: { arn, name, path, policyId: `ANPA${shortHash(arn, 17).toUpperCase()}` } };
  }

  #attach(resource: ResourceRegistration): CreateResult {
    const role = this.#roleFor(resource);
    const policyArn = String(resource.inputs.policyArn);
    this.#checkAttachable(resource, policyArn);
    role.attached.add(policyArn);
    return { id: `${nameOf(role.arn)}-${shortHash(policyArn)}`, outputs: { role: nameOf(role.arn), policyArn } };
  }

  /** The role that a resource refers to, by its name or its ARN; the program may pass either. */
  #roleFor(resource: ResourceRegistration): Role {
    const given = resource.inputs.role;
    const found = [...this.#roles.values()].find((role) => role.arn === given || nameOf(role.arn) === given);
    if (!found) throw provisioningError(resource, `there is no role ${JSON.stringify(given)}; roles: ${this.#list()}.`);
    return found;
  }

  #policy(arn: string): PolicyDocument | undefined {
    return this.#policies.get(arn) ?? managedPolicies.get(arn);
  }

  #checkAttachable(resource: ResourceRegistration, policyArn: string): void {
    if (this.#policy(policyArn)) return;
    const known = [...managedPolicies.keys(), ...this.#policies.keys()].join(", ");
    throw provisioningError(
      resource,
      `there is no policy ${policyArn} on this machine; known: ${known}. Add others to local/services/iam/managedPolicies.ts.`,
    );
  }

  #documentsOf(role: Role): PolicyDocument[] {
    return [...role.inline.values(), ...[...role.attached].map((arn) => this.#policy(arn)!)];
  }

  #list(): string {
    return [...this.#roles.values()].map((role) => nameOf(role.arn)).join(", ") || "none";
  }

  #derive(subject: string, prefix: "AKIA" | "ASIA"): Credentials {
    const digest = (use: string) => createHmac("sha256", this.#key).update(`${use} ${subject}`).digest();
    return {
      accessKeyId: prefix + digest("id").toString("hex").slice(0, 16).toUpperCase(),
      secretAccessKey: digest("secret").toString("base64").slice(0, 40),
    };
  }
}

function nameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

/** The random key of this data folder, from which all its credentials are derived; created if it is missing. */
function keptKey(directory: string): Buffer {
  const file = join(directory, "iam", "key");
  mkdirSync(join(directory, "iam"), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file);
}
