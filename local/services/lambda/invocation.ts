/** `aws:lambda/invocation:Invocation`: a deployment invokes a function and waits for its result. */

import { type CreateResult, provisioningError, type ResourceRegistration } from "../../../host/resources";
import { shortHash } from "../aws/names";
import type { RunnableFunction } from "./function";

/**
 * Invokes the function as the deployer, synchronously. No `Permission` is required: the deployer created the function,
 * so the deployer's own policies allow it. The provider invokes again if function, input or triggers changed, which it
 * finds in its state. Here the function is invoked at each start, so it must be idempotent.
 *
 * @param functionOf the function by name or ARN; throws if there is none
 * @throws CommandError with the function's own message if it failed, ran out of time or could not start
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function makeInvocation(
  resource: ResourceRegistration,
  functionOf: (nameOrArn: string) => RunnableFunction,
): Promise<CreateResult> {
  const { functionName, input, qualifier = "$LATEST", lifecycleScope = "CREATE_ONLY", tenantId } = resource.inputs;
  if (lifecycleScope !== "CREATE_ONLY") {
    throw provisioningError(
      resource,
      `lifecycleScope is ${JSON.stringify(lifecycleScope)}; on this machine only CREATE_ONLY is simulated.`,
    );
  }
  if (qualifier !== "$LATEST" || tenantId !== undefined) {
    throw provisioningError(resource, "qualifier and tenantId are not simulated on this machine.");
  }
  if (typeof input !== "string") throw provisioningError(resource, "input must be a string that holds JSON.");
  const event = parsed(input);
  if (event === undefined) throw provisioningError(resource, "input is not JSON.");
  const runnable = functionOf(String(functionName));
  const { payload, failed } = await runnable.invoke(input);
  if (failed) {
    const { errorMessage } = JSON.parse(payload) as { errorMessage?: unknown };
    const message = withoutPasswords(String(errorMessage), event);
    throw provisioningError(resource, `the function ${runnable.settings.name} failed: ${message}`);
  }
  return {
    id: `${runnable.settings.name}_${qualifier}_${shortHash(input, 32)}`,
    outputs: { result: payload, qualifier, lifecycleScope },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Replaces the event's passwords in the message, because the input of a deployment may be secret. */
function withoutPasswords(message: string, event: unknown): string {
  if (typeof event !== "object" || event === null) return message;
  return Object.entries(event).reduce(
    (text, [key, value]) =>
      /password/i.test(key) && typeof value === "string" && value !== ""
        ? text.replaceAll(value, "…")
        : withoutPasswords(text, value),
    message,
  );
}
