/** Reads a resource's schema from the installed packages, which are generated from the real providers' schemas. */
import { readFileSync } from "node:fs";
import path from "node:path";

export type Kind = "string" | "number" | "boolean" | "list" | "object";

export interface ResourceSchema {
  /** The inputs that a program may set. */
  readonly inputs: ReadonlySet<string>;
  /** Output → its kind. */
  readonly outputs: ReadonlyMap<string, Kind>;
  /** Outputs that are always set: if the program does not set them, the provider computes them. */
  readonly computed: ReadonlySet<string>;
}

const known = new Map<string, ResourceSchema>();

/** @throws Error for a type that the installed package does not have */
export function schemaOf(type: string): ResourceSchema {
  const schema = known.get(type) ?? readSchema(type);
  known.set(type, schema);
  return schema;
}

function readSchema(type: string): ResourceSchema {
  const [pkg = "", module = ""] = type.split(":");
  const root = path.dirname(require.resolve(`@pulumi/${pkg}/package.json`));
  const file = path.join(root, module.replace(/^index\//, ""));
  const inputs = readFileSync(`${file}.js`, "utf8").matchAll(/resourceInputs\["(\w+)"\] = (?!state\b|undefined\b)/g);
  const outputs = [...readFileSync(`${file}.d.ts`, "utf8").matchAll(/^ {4}readonly (\w+): pulumi\.Output<(.*)$/gm)];
  return {
    inputs: new Set([...inputs].map(([, name]) => name!)),
    outputs: new Map(outputs.map(([, name, rest]) => [name!, kindOf(rest!)])),
    computed: new Set(outputs.filter(([, , rest]) => !optional(rest!)).map(([, name]) => name!)),
  };
}

/** A type over several lines is a map; whether it may be undefined is on a later line and does not matter here. */
const optional = (rest: string) => !rest.endsWith(">;") || rest.endsWith("| undefined>;");

function kindOf(rest: string): Kind {
  if (rest.includes("[]")) return "list";
  if (/^(string|number|boolean)\b/.test(rest)) return /^\w+/.exec(rest)![0] as Kind;
  // Named types such as a policy document or an enumeration are strings on the wire; types of outputs are objects.
  return rest.startsWith("outputs.") || rest.startsWith("{") || rest.startsWith("pulumi.asset") ? "object" : "string";
}
