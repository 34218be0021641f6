/** Database, schema and the function's user (S2, S3), and the network around them. */
import { change, omit } from "../changes";
import type { Mutation } from "../mutation";

const instance = "rds/instance:Instance";
const parameters = "rds/parameterGroup:ParameterGroup";
const schema = "pulumi-nodejs:dynamic:Resource schema-tables";
const user = "mysql:index/user:User schema-user";
const grant = "mysql:index/grant:Grant schema-user-grant";
const lambda = "lambda/function:Function register-user";
const ingress = "vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const egress = "vpc/securityGroupEgressRule:SecurityGroupEgressRule";
const endpoint = "ec2/vpcEndpoint:VpcEndpoint";

/** The schema file with one text in place of another. */
const sql = (from: RegExp, to: string) =>
  change(schema, ({ sql: text }) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`The schema file has nothing like ${from}.`);
    return { sql: changed };
  });

export const database: readonly Mutation[] = [
  {
    name: "MySQL 5.7",
    onAws: "refused: the parameter group is for 8.4; and the collation is unknown to 5.7",
    change: change(instance, { engineVersion: "5.7" }),
    caughtBy: { start: "engineVersion" },
  },
  {
    name: "a parameter group of another version",
    onAws: "CreateDBInstance is refused",
    change: change(parameters, { family: "mysql8.0" }),
    caughtBy: { start: "is for mysql8.0" },
  },
  {
    name: "the parameter group does not require TLS",
    onAws: "works, also for clients that send passwords and rows in the clear",
    change: change(parameters, { parameters: [] }),
    caughtBy: { row: "S2" },
  },
  {
    name: "the instance does not use the parameter group",
    onAws: "the same",
    change: change(instance, { parameterGroupName: "default.mysql8.4" }),
    caughtBy: { row: "S2" },
  },
  {
    name: "the function's user need not use TLS",
    onAws: "works, also for clients that send passwords and rows in the clear",
    change: change(user, { tlsOption: "NONE" }),
    caughtBy: { row: "S3" },
  },
  {
    name: "the function's user may not INSERT",
    onAws: "ConfirmSignUp fails",
    change: change(grant, { privileges: ["SELECT"] }),
    caughtBy: { story: "confirmation", says: "DATABASE_REFUSED" },
  },
  {
    name: "the function's user may write another table",
    onAws: "ConfirmSignUp fails",
    change: change(grant, { table: "orders" }),
    caughtBy: { story: "confirmation", says: "DATABASE_REFUSED" },
  },
  {
    name: "the function's user may do everything",
    onAws: "works; whoever takes over the function owns all orders",
    change: change(grant, { table: "*", privileges: ["ALL"] }),
    caughtBy: { row: "S3" },
  },
  {
    name: "the schema lacks the table `users`",
    onAws: "the grant is refused: there is no such table",
    change: sql(/CREATE TABLE IF NOT EXISTS `users`[^;]*;/, ""),
    caughtBy: { start: "users" },
  },
  {
    name: "the schema lacks the column `User_DateAdd`",
    onAws: "ConfirmSignUp fails",
    change: sql(/`User_DateAdd` datetime NOT NULL,|,\s*KEY `User_DateAdd` \(`User_DateAdd`\)/g, ""),
    caughtBy: { story: "confirmation", says: "DATABASE_REFUSED" },
  },
  {
    name: "the schema lacks the table `orders`",
    onAws: "works until the first order",
    change: sql(/CREATE TABLE IF NOT EXISTS `orders`[^;]*;/, ""),
    caughtBy: { row: "S3" },
  },
  {
    name: "another database than the schema file's",
    onAws: "the schema is refused",
    change: change(schema, { databaseName: "shop" }),
    caughtBy: { start: "shop" },
  },
  {
    name: "no rule lets the function out to the database",
    onAws: "the function waits until its time is over",
    change: omit(`${egress} network-function-to-database`),
    caughtBy: { start: "no egress rule lets the function" },
  },
  {
    name: "no rule lets the function in at the database",
    onAws: "the same",
    change: omit(`${ingress} network-database-from-function`),
    caughtBy: { start: "no ingress rule lets the function" },
  },
  {
    name: "the rules are for another port",
    onAws: "the same",
    change: change(`${ingress} network-database-from-function`, { fromPort: 3307, toPort: 3307 }),
    caughtBy: { start: "port 3306 of the database" },
  },
  {
    name: "the function is in another security group",
    onAws: "the same",
    change: change(lambda, ({ vpcConfig }) => ({
      vpcConfig: { ...vpcConfig, securityGroupIds: ["network-endpoint"] },
    })),
    caughtBy: { start: "no egress rule lets the function" },
  },
  {
    name: "the function is in no VPC",
    onAws: "the function does not reach the database, which lets in groups and the deployer only",
    change: change(lambda, { vpcConfig: undefined }),
    caughtBy: { start: "is in no VPC" },
  },
  {
    name: "no endpoint of Secrets Manager",
    onAws: "the function, which has no way to the internet, waits until its time is over",
    change: omit(endpoint),
    caughtBy: { start: "no endpoint of Secrets Manager" },
  },
  {
    name: "the endpoint without private DNS",
    onAws: "the same: the SDK's host name leads to the internet",
    change: change(endpoint, { privateDnsEnabled: false }),
    caughtBy: { start: "private DNS" },
  },
  {
    name: "no rule lets the function in at the endpoint",
    onAws: "the same",
    change: omit(`${ingress} network-endpoint-from-function`),
    caughtBy: { start: "port 443" },
  },
  {
    name: "the VPC gives no host names",
    onAws: "private DNS of the endpoint is refused",
    change: change("ec2/vpc:Vpc", { enableDnsHostnames: false }),
    caughtBy: { start: "enableDnsHostnames" },
  },
  {
    name: "the database's subnets are in one zone",
    onAws: "CreateDBSubnetGroup is refused",
    change: change("rds/subnetGroup:SubnetGroup", ({ subnetIds }) => ({ subnetIds: subnetIds.slice(0, 1) })),
    caughtBy: { start: "needs at least two" },
  },
  {
    name: "the database stands in the function's subnets",
    onAws: "`pulumi up` waits for the database, and gives up",
    change: change("rds/subnetGroup:SubnetGroup", { subnetIds: ["network-private-1", "network-private-2"] }),
    caughtBy: { start: "without a route to the internet" },
  },
  {
    name: "the database without a public address",
    onAws: "the same",
    change: change(instance, { publiclyAccessible: false }),
    caughtBy: { start: "no public address" },
  },
  {
    name: "the public subnets without a route",
    onAws: "the same",
    change: omit("ec2/route:Route"),
    caughtBy: { start: "without a route to the internet" },
  },
  {
    name: "no rule for the deployer",
    onAws: "the same",
    change: omit(`${ingress} network-database-from-192.0.2.0/24`),
    caughtBy: { start: "no ingress rule for any address range" },
  },
];
