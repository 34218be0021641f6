/**
 * Runs the component DatabaseSchema with mocks that record its resources and refuse types that it must not register.
 */
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { DatabaseSchemaArgs } from "../../infra/schema/DatabaseSchema";
import { loadNatively } from "../support/native";

// The native copies: the program and the mocks must share one SDK.
export const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
const { DatabaseSchema } = loadNatively<typeof import("../../infra/schema/DatabaseSchema")>(
  "infra/schema/DatabaseSchema.ts",
);

// A stand-in for the database instance; the SDK's class is abstract for the compiler only.
export const Instance = pulumi.CustomResource as any as new (type: string, name: string, props: object) => any;

export const types = {
  provider: "pulumi:providers:mysql",
  database: "mysql:index/database:Database",
  file: "pulumi-nodejs:dynamic:Resource",
  password: "random:index/randomPassword:RandomPassword",
  user: "mysql:index/user:User",
  grant: "mysql:index/grant:Grant",
  logs: "aws:cloudwatch/logGroup:LogGroup",
  role: "aws:iam/role:Role",
  policy: "aws:iam/rolePolicy:RolePolicy",
  function: "aws:lambda/function:Function",
  invocation: "aws:lambda/invocation:Invocation",
};
export const secretMark = "4dabf18193072939515e22adb298388d";
export const generatedPassword = "Generated0Password0Of0The0User00";

export interface Seen {
  type: string;
  name: string;
  inputs: any;
  provider: string;
}
/** The resources, their options by type, and the warnings of the current test. */
export const seen: Seen[] = [];
export const options = new Map<string, any>();
export const warnings: string[] = [];

/** Sets the mocks before each test of the file, and clears the recorded resources, options and warnings. */
export function useMocks(): void {
  beforeEach(() => {
    seen.length = 0;
    options.clear();
    warnings.length = 0;
    vi.spyOn(console, "warn").mockImplementation((line) => void warnings.push(String(line)));
    mock(false);
  });
  afterEach(() => vi.restoreAllMocks());
}

/** @param preview whether the program runs as a preview, in which outputs of AWS are unknown */
export function mock(preview: boolean): void {
  const newResource = ({ type, name, inputs, provider = "" }: any) => {
    seen.push({ type, name, inputs, provider });
    switch (type) {
      case types.password:
        return { id: name, state: { ...inputs, result: generatedPassword } };
      case "aws:rds/instance:Instance":
      case "ecommerce:database:DatabaseSchema":
      case types.provider:
      case types.database:
      case types.file:
      case types.user:
      case types.grant:
      case types.logs:
      case types.role:
      case types.policy:
      case types.function:
      case types.invocation:
        return { id: `${name}-id`, state: { ...inputs, name: inputs.name ?? name, arn: `arn:${name}` } };
      default:
        throw new Error(`the component must not make a ${type}`);
    }
  };
  const call = ({ token }: any) => {
    throw new Error(`the component must not call ${token}`);
  };
  pulumi.runtime.setMocks({ newResource, call }, "ecommerce", "test", preview);
}

/** Makes the component and waits until all of it is registered. */
export async function make(args: Partial<DatabaseSchemaArgs> = {}) {
  const instance = new Instance("aws:rds/instance:Instance", "instance", { address: undefined });
  const component = new DatabaseSchema(
    "schema",
    {
      server: instance,
      serverId: "db-1",
      address: "db.example.com",
      port: 3306,
      adminUsername: "admin",
      adminPassword: pulumi.secret("admins-password"),
      authorities: "an authority",
      ...args,
    },
    {
      transformations: [
        ({ type, opts }) => {
          options.set(type, opts);
          return undefined;
        },
      ],
    },
  );
  await value(component.urn);
  await value(component.grant.urn);
  return { component, instance };
}

export function value<T>(output: import("@pulumi/pulumi").Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The one resource of the type. */
export function the(type: string): Seen {
  const found = seen.filter((resource) => resource.type === type);
  expect(found, `resources of type ${type}`).toHaveLength(1);
  return found[0]!;
}

/** The value of a secret in the engine's wire format; other inputs unchanged. */
export const plain = (input: any) => (input?.[secretMark] ? input.value : input);
