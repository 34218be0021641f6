/** The types of a rule: its inputs and its findings. */

import type { EnforcementLevel } from "@pulumi/policy";
import type { Stage } from "./stages";

/** A value that is known only once the resource exists: in a preview it cannot be checked. */
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

/** The project and stack that the rules check. */
export interface RuleContext {
  readonly project: string;
  readonly stack: string;
}

/** One violation of a rule. The texts contain no secret. */
export interface Finding {
  /** The value that was found. A named exception repeats this text, so that it covers this violation only. */
  readonly got: string;
  readonly allowed: string;
  readonly todo: string;
}

export interface Rule {
  /** Unique; used in messages and exceptions. */
  readonly name: string;
  readonly description: string;
  /** Whether a violation stops the deployment. @default mandatory in every stage */
  readonly level?: (stage: Stage) => EnforcementLevel;
  /** Checks one resource of any type; unknown values pass until they are known. */
  check(resource: Resource, context: RuleContext): readonly Finding[];
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the value is known and not the required one; an absent value is known. */
export const differs = (value: unknown, required: unknown) => value !== unknown && value !== required;

/** The value as a message shows it. */
export const shown = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));

/** Whether the value is known and below the least; an absent value counts as 0. */
export const isBelow = (value: unknown, least: number) => value !== unknown && Number(value ?? 0) < least;
