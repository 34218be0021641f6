import type { Mutation } from "./mutation";
import { restApi } from "./table/api";
import { bucket } from "./table/bucket";
import { database } from "./table/database";
import { registration } from "./table/registration";
import { users } from "./table/users";

/** Every single change that is tried, in the order of the table. */
export const sections: Readonly<Record<string, readonly Mutation[]>> = {
  "User pool, app client, managed login": users,
  "Function, secret, trigger": registration,
  "Database, schema, network": database,
  "Bucket, the API's role": bucket,
  "REST API": restApi,
};

export const mutations: readonly Mutation[] = Object.values(sections).flat();
