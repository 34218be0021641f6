/** Helpers of the engine's tests. */
import { createConnection } from "mysql2/promise";
import type { Engine, Run, Step } from "../support/engine";
import type { Cloud, Thing } from "./standin/cloud";
import { holdsData } from "./standin/kinds";

/** A run without failures, warnings and errors. */
export const fine = { failure: undefined, warnings: [], errors: [] };

export const namesOf = ({ steps }: Run): string[] => steps.map(({ name }) => name);
export const typesOf = ({ steps }: Run): string[] => [...new Set(steps.map(({ type }) => type))];
export const byName = (steps: readonly Step[]): Step[] => [...steps].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The steps of one changed input of several resources. */
export const updates = (type: string, input: string, names: readonly string[]): Step[] =>
  byName(names.map((name) => ({ op: "update", type, name, changed: [input] })));

/** The engine passes all settings to the plugin for dynamic resources, so any changed setting updates that provider. */
export const settingsOfDynamicProvider: Step = {
  op: "update",
  type: "pulumi:providers:pulumi-nodejs",
  name: "default",
  changed: [],
};

/** Type and identifier of every resource that holds data. */
export const dataIn = (cloud: Cloud): string[] =>
  cloud
    .things()
    .filter(({ type }) => holdsData.includes(type))
    .map(({ type, id }) => `${type} ${id}`)
    .sort();

/** Description of a secret of the program → its value, as AWS got it. */
export function secretsOf(cloud: Cloud): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { type, inputs, outputs } of cloud.things()) {
    if (type === "aws:rds/instance:Instance") found["administrator's password"] = inputs.password;
    if (type === "aws:rds/cluster:Cluster") found["administrator's password"] = inputs.masterPassword;
    if (type === "aws:secretsmanager/secretVersion:SecretVersion") {
      found["function user's password"] = JSON.parse(inputs.secretString).password;
    }
    if (type === "aws:cognito/userPoolClient:UserPoolClient" && outputs.clientSecret) {
      found["client secret"] = outputs.clientSecret;
    }
  }
  return found;
}

/** The version that a reader of the secret gets. */
export const currentVersion = (cloud: Cloud): Thing =>
  cloud.things().find(({ name, outputs }) => name === "secret-value" && outputs.versionStages.includes("AWSCURRENT"))!;

/** Registers a person as the function does, with the address, user and password in the secret. */
export async function registerBySecret({ cloud }: Engine): Promise<void> {
  const { host, port, username, password } = JSON.parse(currentVersion(cloud).inputs.secretString);
  const connection = await createConnection({
    host,
    port,
    user: username,
    password,
    ssl: { rejectUnauthorized: false },
  });
  try {
    await connection.query(
      "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (UUID(), UUID(), NOW())",
    );
  } finally {
    await connection.end();
  }
}
