/** What a rule is, and what it gets to see. */

import type { EnforcementLevel } from "@pulumi/policy";
import type { Stage } from "./stages";

/** A value that AWS only tells once the resource is made: during a preview nothing can be said about it. */
export const unknown = Symbol("unknown");

/** A resource as the program registers it; unknown values are {@link unknown}, secrets are unwrapped. */
export interface Resource {
  /** Type token, for example `aws:rds/instance:Instance`. */
  readonly type: string;
  /** Logical name in the program. */
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Pulumi's own `protect`. */
  readonly protect: boolean;
  /** Inputs of its provider, for example `defaultTags` of the aws provider. */
  readonly provider: Readonly<Record<string, unknown>>;
}

/** Where the rules run. */
export interface RuleContext {
  readonly project: string;
  readonly stack: string;
}

/** One breach of a rule. The texts make one sentence each and hold no secret. */
export interface Finding {
  /** What was got. Named exceptions repeat this text, so that they cover this breach and no other. */
  readonly got: string;
  readonly allowed: string;
  readonly todo: string;
}

export interface Rule {
  /** Unique; what messages and exceptions call it. */
  readonly name: string;
  readonly description: string;
  /** Whether a breach stops the deployment. @default mandatory in every stage */
  readonly level?: (stage: Stage) => EnforcementLevel;
  /** Looks at one resource of any type; what is unknown passes until it is known. */
  check(resource: Resource, context: RuleContext): readonly Finding[];
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the value is known and not the wanted one; an absent value is known. */
export const differs = (value: unknown, wanted: unknown) => value !== unknown && value !== wanted;

/** A value in a message. */
export const shown = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));

/** Whether the value is known and below the least; an absent value counts as 0. */
export const isBelow = (value: unknown, least: number) => value !== unknown && Number(value ?? 0) < least;
