import type { CreateResult, ResourceRegistration } from "../../host/resources";
import type { ServiceContext } from "./service";

/**
 * Handles resources that matter on AWS only, such as networks and alarms: returns a name and an ARN, so that the
 * program goes on, and counts by type the resources that were not simulated.
 */
export class UnsimulatedResources {
  readonly types = new Map<string, number>();

  constructor(private readonly context: Pick<ServiceContext, "region" | "accountId">) {}

  readonly make = ({ type, name, inputs }: ResourceRegistration): CreateResult => {
    this.types.set(type, (this.types.get(type) ?? 0) + 1);
    const physicalName = String(inputs.name ?? inputs.namePrefix ?? name);
    const service = type.split(":")[1]?.split("/")[0] ?? "unknown";
    const arn = `arn:aws:${service}:${this.context.region}:${this.context.accountId}:${physicalName}`;
    return { id: physicalName, outputs: { name: physicalName, arn } };
  };
}
