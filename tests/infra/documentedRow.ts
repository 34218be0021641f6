/** Types and helpers of the checks of all rows. */
import type { Recorded } from "../support/program";

export type Group = (title: string, body: () => void) => void;

/** The functions that the checks of a row use. */
export interface Row {
  readonly describe: Group;
  readonly it: Group;
  /** Returns the registered resources; each check calls it when it runs. */
  recorded(): Recorded;
  /** The inputs of the one resource of the type, or of the type and name. */
  inputs(type: string, name?: string): Record<string, any>;
}

export const types = {
  pool: "aws:cognito/userPool:UserPool",
  client: "aws:cognito/userPoolClient:UserPoolClient",
  instance: "aws:rds/instance:Instance",
  secret: "aws:secretsmanager/secret:Secret",
  secretVersion: "aws:secretsmanager/secretVersion:SecretVersion",
  function: "aws:lambda/function:Function",
  permission: "aws:lambda/permission:Permission",
  bucket: "aws:s3/bucket:Bucket",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  api: "aws:apigateway/restApi:RestApi",
  resource: "aws:apigateway/resource:Resource",
  method: "aws:apigateway/method:Method",
  integration: "aws:apigateway/integration:Integration",
} as const;
export const document = (policy: unknown) => (typeof policy === "string" ? JSON.parse(policy) : policy);
