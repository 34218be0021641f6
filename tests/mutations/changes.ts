/** One thing wrong in what the program registers: a change is put between the program and what makes its resources. */
import type { CreateResult, ResourceRegistration } from "../../host/resources";

export type Make = (resource: ResourceRegistration) => Promise<CreateResult>;

/** Wraps whatever makes resources: the real parts, or a recording of them. */
export type Change = (make: Make) => Make;

type Inputs = Record<string, any>;

/**
 * Whether a target means a resource: a type as Pulumi spells it, `aws:` left out, and where given the logical name.
 * `"s3/bucket:Bucket"`, `"apigateway/method:Method image-api-put-method"`, `"mysql:index/user:User"`
 */
function means(target: string, resource: ResourceRegistration): boolean {
  const [type = "", name] = target.split(" ");
  const full = /^(mysql|pulumi-nodejs):/.test(type) ? type : `aws:${type}`;
  return resource.type === full && (name === undefined || resource.name === name);
}

/** Registers other inputs: those that are answered here are laid over the program's; undefined takes one away. */
export function change(target: string, others: Inputs | ((inputs: Inputs) => Inputs)): Change {
  return (make) => async (resource) => {
    if (!means(target, resource)) return make(resource);
    const given = copyOf(resource.inputs);
    const inputs = { ...resource.inputs, ...(typeof others === "function" ? others(given) : others) };
    const made = await make({ ...resource, inputs });
    // What the rest of the program reads of this resource is what was made, not what it had asked for.
    return { id: made.id, outputs: { ...inputs, ...made.outputs } };
  };
}

/** Leaves the resource out. What the program reads of it is a name and an ARN, and nothing stands behind them. */
export function omit(target: string): Change {
  return (make) => async (resource) => {
    if (!means(target, resource)) return make(resource);
    return { id: resource.name, outputs: { name: resource.name, arn: `arn:aws:omitted:::${resource.name}` } };
  };
}

/** Makes the first only after the second, as the engine may where nothing says that the second depends on the first. */
export function postpone(first: string, second: string): Change {
  return (make) => {
    let postponed: ResourceRegistration | undefined;
    return async (resource) => {
      if (means(first, resource)) {
        postponed = resource;
        return { id: resource.name, outputs: {} };
      }
      const made = await make(resource);
      if (postponed && means(second, resource)) await make(postponed);
      return made;
    };
  };
}

/** Makes every one of the changes. */
export function all(changes: readonly Change[]): Change {
  return (make) => changes.reduce((changed, change) => change(changed), make);
}

/** A copy that may be changed; archives and other objects with a class stay as they are. */
function copyOf(value: any): any {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]));
}
