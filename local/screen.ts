import type { Made, Registered } from "./host/part";
import type { Outputs } from "./outputs";
import type { Proof } from "./proof";
import type { System } from "./system";

type Line = (resource: Registered, outputs: Record<string, unknown>) => string;

/** The resources that a person waits for or asks about; the others pass without a line. */
const lines: Record<string, Line> = {
  "aws:rds/instance:Instance": (_, { address, port }) => `database server on ${address}:${port}`,
  "aws:rds/cluster:Cluster": (_, { endpoint, port }) => `database cluster on ${endpoint}:${port}`,
  "aws:rds/proxyTarget:ProxyTarget": ({ inputs }, { endpoint, port }) =>
    `proxy ${inputs.dbProxyName} before the database, on ${endpoint}:${port}`,
  "mysql:index/database:Database": ({ inputs }) => `database ${inputs.name}`,
  "pulumi-nodejs:dynamic:Resource": () => "schema/ecommerceSchema.sql applied",
  "aws:lambda/invocation:Invocation": ({ inputs }) =>
    `function ${inputs.functionName} invoked for ${Object.keys(inputs.triggers ?? {}).join(", ") || "this deployment"}`,
  "mysql:index/grant:Grant": ({ inputs }) =>
    `database user ${inputs.user} with ${(inputs.privileges as string[] | undefined)?.join(", ")} on ${inputs.table}`,
  "aws:secretsmanager/secret:Secret": (_, { name }) => `secret ${name}`,
  "aws:lambda/function:Function": (_, { name }) => `function ${name}, packaged and unpacked`,
  "aws:secretsmanager/secretRotation:SecretRotation": (_, { secretId }) => `rotation of ${nameOf(secretId)}`,
  "aws:sqs/queue:Queue": (_, { name }) => `queue ${name}`,
  "aws:lambda/eventSourceMapping:EventSourceMapping": (_, { functionName }) =>
    `the queue's messages go to ${nameOf(functionName)}`,
  "aws:cognito/userPool:UserPool": (_, { name, id }) => `user pool ${name} (${id})`,
  "aws:cognito/userPoolClient:UserPoolClient": ({ inputs }) => `app client ${inputs.name}`,
  "aws:lambda/permission:Permission": ({ inputs }) => `${inputs.principal} may call ${nameOf(inputs.function)}`,
  "aws:s3/bucket:Bucket": (_, { bucket }) => `bucket ${bucket}`,
  "aws:apigateway/stage:Stage": (_, { invokeUrl }) => `image API at ${invokeUrl}`,
};

/** The last part of an ARN; a name as it is. */
const nameOf = (nameOrArn: unknown) => String(nameOrArn).split(":").at(-1);

/** What the person sees of a start: each step with the time it took, then where everything is. */
export class Screen {
  readonly #begun = performance.now();

  constructor(private readonly print: (line: string) => void = (line) => console.log(line)) {}

  title(stack: string): void {
    this.print(`The e-commerce back end on this machine, stack ${stack}\n`);
  }

  made(resource: Registered, made: Made, milliseconds: number): void {
    const line = lines[resource.type]?.(resource, { id: made.id, ...resource.inputs, ...made.outputs });
    if (line) this.step(line, milliseconds);
  }

  step(line: string, milliseconds: number): void {
    this.print(`  ✓ ${line.padEnd(72)} ${seconds(milliseconds).padStart(7)}`);
  }

  /** A fact that a part reports: a download's progress, a mail with its code. */
  say(line: string): void {
    this.print(`    ${line}`);
  }

  proven({ email, sub, row }: Proof, milliseconds: number): void {
    this.step(`${email} signed up, confirmed, and is a row in MySQL`, milliseconds);
    const cells = Object.entries(row).map(([column, value]) => `${column}=${value ?? "NULL"}`);
    if (row.User_UUID !== sub) throw new Error(`The row holds ${row.User_UUID}, not ${sub}.`);
    this.say(`users: ${cells.join("  ")}`);
  }

  summary(system: System, outputsFile: string): void {
    const { outputs } = system;
    this.print(`\nReady after ${seconds(performance.now() - this.#begun)}.\n`);
    for (const [label, value] of addresses(outputs)) this.print(`  ${label.padEnd(18)} ${value}`);
    this.print(`\n  All of it, with the database's password: ${outputsFile}`);
    const recorded = [...system.notSimulated].map(([type, count]) => `${shortType(type)} (${count})`);
    if (recorded.length > 0) this.print(`\n  Recorded, not simulated: ${wrapped(recorded)}`);
  }
}

const addresses = (outputs: Outputs): [string, string][] => [
  ["page", outputs.webUrl ?? "not served: this stack's callbackUrls name no URL on localhost"],
  ["sign in", outputs.signInUrl],
  ["image API", outputs.apiUrl],
  ["bucket", outputs.bucketUrl],
  ["Cognito API", outputs.cognitoEndpoint],
  ["user pool", `${outputs.userPoolId}, client ${outputs.userPoolClientId}`],
  ["mails with codes", outputs.mailbox],
  ["MySQL", `mysql://${outputs.mysql.user}@${outputs.mysql.host}:${outputs.mysql.port}/${outputs.mysql.database}`],
  ["Secrets Manager", `${outputs.secretsManagerEndpoint}, secret ${outputs.secretName}`],
  ["Lambda", `${outputs.lambdaEndpoint}, function ${outputs.functionName}`],
];

/** `aws:ec2/vpcEndpoint:VpcEndpoint` → `ec2 VpcEndpoint` */
const shortType = (type: string) => {
  const [, module = "", name = ""] = type.split(":");
  return `${module.split("/")[0]} ${name}`;
};

function wrapped(items: string[]): string {
  const rows: string[] = [""];
  for (const item of items) {
    const last = rows[rows.length - 1]!;
    if (last.length + item.length > 90) rows.push(item);
    else rows[rows.length - 1] = last ? `${last}, ${item}` : item;
  }
  return rows.join(",\n    ");
}

const seconds = (milliseconds: number) =>
  milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
