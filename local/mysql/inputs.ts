/** Reads the inputs of a registered resource, with a clear error where one is not what it must be. */
import { type Registered, StartError } from "../host/part";

export class Inputs {
  readonly #resource: Registered;

  constructor(resource: Registered) {
    this.#resource = resource;
  }

  /** @returns a StartError that names the resource */
  fault(text: string): StartError {
    return new StartError(`${this.#resource.type} "${this.#resource.name}": ${text}`);
  }

  string(key: string): string | undefined {
    return this.#get(key, "a string", (value): value is string => typeof value === "string");
  }

  boolean(key: string): boolean | undefined {
    return this.#get(key, "true or false", (value): value is boolean => typeof value === "boolean");
  }

  number(key: string): number | undefined {
    return this.#get(key, "a number", (value): value is number => typeof value === "number");
  }

  strings(key: string): string[] | undefined {
    const isStrings = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((entry) => typeof entry === "string");
    return this.#get(key, "a list of strings", isStrings);
  }

  /** @param rule what is allowed, in words */
  required(key: string, rule: string, allowed: RegExp): string {
    const value = this.string(key);
    if (value === undefined) throw this.fault(`${key} is missing, which must be ${rule}.`);
    return this.#match(key, value, rule, allowed);
  }

  optional(key: string, rule: string, allowed: RegExp): string | undefined {
    const value = this.string(key);
    return value === undefined ? undefined : this.#match(key, value, rule, allowed);
  }

  #match(key: string, value: string, rule: string, allowed: RegExp): string {
    if (allowed.test(value)) return value;
    // A password is not repeated.
    const got = /password/i.test(key) ? "is not" : `is ${JSON.stringify(value)}, and must be`;
    throw this.fault(`${key} ${got} ${rule}.`);
  }

  #get<T>(key: string, kind: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.#resource.inputs[key];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw this.fault(`${key} must be ${kind}.`);
    return value;
  }
}
