import type { Policies, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { databaseNotOpenToAll, databaseTls, privateDatabase } from "./database";
import { encryptionAtRest } from "./encryption";
import { type Exception, exceptions } from "./exceptions";
import { hasUnknown, knownProps } from "./knownProps";
import { namedCallers, namedPermissions, ownPolicies } from "./permissions";
import { protectedData } from "./protection";
import { retention } from "./retention";
import type { Finding, Resource, Rule, RuleContext } from "./rule";
import { noSecretInPlain } from "./secrets";
import { stageOf } from "./stages";
import { tags } from "./tags";

export const rules: readonly Rule[] = [
  privateDatabase,
  databaseNotOpenToAll,
  databaseTls,
  encryptionAtRest,
  namedPermissions,
  ownPolicies,
  namedCallers,
  noSecretInPlain,
  retention,
  protectedData,
  tags,
];

/**
 * The rules as the engine runs them. Each checks one resource before it is made or changed, so that `pulumi up` stops
 * first. Named exceptions are printed at every run; exceptions that no longer apply are reported at its end.
 *
 * @param context project and stack, which decide whether a rule is mandatory, advisory or off
 */
export function policiesFor(context: RuleContext): Policies {
  const policies = rules.map((rule): ResourceValidationPolicy => {
    return {
      name: rule.name,
      description: rule.description,
      enforcementLevel: rule.level?.(stageOf(context.stack)) ?? "mandatory",
      validateResource(args, report) {
        const resource = resourceOf(args);
        for (const finding of rule.check(resource, context)) {
          if (!exceptionFor(rule, resource, finding)) report(message(resource, finding));
        }
      },
    };
  });
  return [...policies, namedExceptions(context), exceptionsInUse(context)];
}

/** The properties of the policy SDK's `ResourceValidationArgs` that rules use. */
interface ValidatedResource {
  readonly type: string;
  readonly name: string;
  readonly props: object;
  readonly opts: { readonly protect: boolean };
  readonly provider?: { readonly props: object };
}

const resourceOf = ({ type, name, props, opts, provider }: ValidatedResource): Resource => ({
  type,
  name,
  props: knownProps(props),
  protect: opts.protect,
  provider: knownProps(provider?.props ?? {}),
});

const exceptionFor = (rule: Rule, resource: Resource, { got }: Finding): Exception | undefined =>
  exceptions.find(
    (exception) => exception.rule === rule.name && exception.resource === resource.name && exception.got === got,
  );

const message = ({ name, type }: Resource, { got, allowed, todo }: Finding) =>
  `${name} (${type}): got ${got}; allowed: ${allowed}. ${todo}`;

function namedExceptions(context: RuleContext): ResourceValidationPolicy {
  return {
    name: "named-exceptions",
    description: "What the documents require although a rule refuses it.",
    enforcementLevel: "advisory",
    validateResource(args, report) {
      const resource = resourceOf(args);
      for (const rule of rules) {
        for (const finding of rule.check(resource, context)) {
          const exception = exceptionFor(rule, resource, finding);
          if (exception) {
            report(`${resource.name} (${rule.name}): ${finding.got}. ${exception.reason} (${exception.document})`);
          }
        }
      }
    },
  };
}

function exceptionsInUse(context: RuleContext): StackValidationPolicy {
  return {
    name: "exceptions-in-use",
    description: "Every named exception is still needed.",
    enforcementLevel: "advisory",
    validateStack({ resources }, report) {
      const stack = resources.map(resourceOf);
      for (const exception of exceptions) {
        if (isInUse(exception, stack, context)) continue;
        report(
          `${exception.resource} (${exception.rule}): got no finding "${exception.got}", for which this exception is; ` +
            "allowed: exceptions that are needed. Remove it from policies/exceptions.ts.",
        );
      }
    },
  };
}

function isInUse(exception: Exception, stack: readonly Resource[], context: RuleContext): boolean {
  const rule = rules.find(({ name }) => name === exception.rule);
  return stack
    .filter(({ name }) => name === exception.resource)
    .some(
      (resource) =>
        // In a preview an input may contain names that are not known yet: then the exception counts as needed.
        hasUnknown(resource.props) || rule?.check(resource, context).some(({ got }) => got === exception.got),
    );
}
