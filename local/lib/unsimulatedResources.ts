import type { CreateResult, ResourceRegistration } from "../../host/resources";
import type { ServiceContext } from "./service";

/**
 * Takes what matters on AWS only, such as networks and alarms: answers the name and an ARN, so that the program goes on,
 * and keeps a list of what was not simulated.
 */
export class UnsimulatedResources {
  readonly types = new Map<string, number>();

  constructor(private readonly site: Pick<ServiceContext, "region" | "accountId">) {}

  readonly make = ({ type, name, inputs }: ResourceRegistration): CreateResult => {
    this.types.set(type, (this.types.get(type) ?? 0) + 1);
    const physicalName = String(inputs.name ?? inputs.namePrefix ?? name);
    const service = type.split(":")[1]?.split("/")[0] ?? "unknown";
    const arn = `arn:aws:${service}:${this.site.region}:${this.site.accountId}:${physicalName}`;
    return { id: physicalName, outputs: { name: physicalName, arn } };
  };
}
