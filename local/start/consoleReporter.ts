import { join } from "node:path";
import { type Outputs, outputsName } from "../../cli/localOutputs";
import type { CreateResult, ResourceRegistration } from "../../host/resources";
import { logFileOf } from "../services/lambda/log";
import type { SmokeTest } from "./smokeTest";

/** What is reported of a system that was started. */
export interface ReportedSystem {
  readonly outputs: Outputs;
  /** Type tokens that were recorded but are not simulated, with how many resources of each there are. */
  readonly notSimulated: ReadonlyMap<string, number>;
}

type Line = (resource: ResourceRegistration, outputs: Record<string, unknown>) => string;

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

/** Where the text for a person goes. */
export interface Terminal {
  print(line: string): void;
  /** Characters in a row; undefined where nobody's eyes are on it, such as a pipe. */
  readonly columns?: number | undefined;
}

const terminal: Terminal = { print: (line) => console.log(line), columns: process.stdout.columns };

/** What the person sees of a start: each step with the time it took, then where everything is. */
export class ConsoleReporter {
  readonly #begun = performance.now();
  readonly #columns: number | undefined;
  /** An empty row that is due before the next line. */
  #gap = false;

  constructor(private readonly to: Terminal = terminal) {
    this.#columns = to.columns;
  }

  title(stack: string): void {
    this.print(`The e-commerce back end on this machine, stack ${stack}`);
    this.#gap = true;
  }

  made(resource: ResourceRegistration, made: CreateResult, milliseconds: number): void {
    const line = lines[resource.type]?.(resource, { id: made.id, ...resource.inputs, ...made.outputs });
    if (line) this.step(line, milliseconds);
  }

  step(line: string, milliseconds: number): void {
    const width = Math.min(72, (this.#columns ?? 84) - 12);
    this.print(`  ✓ ${line.padEnd(width)} ${seconds(milliseconds).padStart(7)}`);
  }

  /** What went wrong while the system goes on. */
  failed(line: string): void {
    this.print(`  ✗ ${line}`);
  }

  /** A fact that a service reports: a download's progress, a mail with its code. */
  info(line: string): void {
    this.print(`    ${line}`);
  }

  proven({ email, sub, row }: SmokeTest, milliseconds: number): void {
    this.step(`${email} signed up, confirmed, and is a row in MySQL`, milliseconds);
    const cells = Object.entries(row).map(([column, value]) => `${column}=${value ?? "NULL"}`);
    if (row.User_UUID !== sub) throw new Error(`The row holds ${row.User_UUID}, not ${sub}.`);
    // In one row for a pipe: what reads it looks for a row.
    this.info(`users: ${wrapped(cells, "  ", this.#columns ?? Number.POSITIVE_INFINITY, "    users: ".length)}`);
  }

  /** @param directory the data folder, as the person named it */
  ready(system: ReportedSystem, stack: string, directory: string): void {
    this.print(`\nReady after ${seconds(performance.now() - this.#begun)}.\n`);
    const logs = join(directory, logFileOf("FUNCTION"));
    const found: [string, string][] = [...addresses(system.outputs, stack), ["logs", logs]];
    for (const [label, value] of found) this.print(`  ${label.padEnd(18)} ${value}`);
    this.print(`\n  All of it, with the database's password: ${join(directory, outputsName)}`);
    this.#recorded(system);
    this.print("\n  Ctrl-C stops it.");
  }

  /** For a start that ends with the proof: no address that it could tell leads anywhere a moment later. */
  proofDone(system: ReportedSystem): void {
    this.print(`\nProven after ${seconds(performance.now() - this.#begun)}.`);
    this.#recorded(system);
  }

  stopping(): void {
    this.print("\nStopping.");
  }

  stopped(directory: string): void {
    this.print(`\nStopped after the proof. The data is kept in ${directory}; the same without --once goes on with it.`);
  }

  /** Sets what follows, a reason on the standard error, apart from what was printed. */
  setApart(): void {
    this.#gap = false;
    this.print("");
  }

  private print(line: string): void {
    if (this.#gap) this.to.print("");
    this.#gap = false;
    this.to.print(line);
  }

  #recorded({ notSimulated }: ReportedSystem): void {
    const recorded = [...notSimulated].map(([type, count]) => `${shortType(type)} (${count})`);
    if (recorded.length === 0) return;
    const title = "  Recorded, not simulated: ";
    this.print(`\n${title}${wrapped(recorded, ", ", Math.min(this.#columns ?? 100, 100), title.length)}`);
  }
}

const addresses = (outputs: Outputs, stack: string): [string, string][] => [
  ["page", outputs.webUrl ?? notServed(stack)],
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

/** Why there is no page, and how this machine gets one: both lists, since signing out leads back too. */
const notServed = (stack: string) =>
  "not served: this stack's callbackUrls name no URL on localhost. For a page on this machine:\n" +
  `${" ".repeat(21)}npm start -- --stack ${stack} --set callbackUrls=http://localhost:3000/ --set signOutUrls=http://localhost:3000/`;

/** `aws:ec2/vpcEndpoint:VpcEndpoint` → `ec2 VpcEndpoint` */
const shortType = (type: string) => {
  const [, module = "", name = ""] = type.split(":");
  return `${module.split("/")[0]} ${name}`;
};

/**
 * Items in rows of at most so many characters, as far as each item fits into one.
 *
 * @param taken characters of the first row that stand there already; the others are indented by four
 */
export function wrapped(items: readonly string[], separator: string, columns: number, taken: number): string {
  let text = "";
  let left = columns - taken;
  for (const item of items) {
    const more = text === "" ? item.length : separator.length + item.length;
    // A row that another follows ends with the separator's own mark.
    if (text !== "" && more + separator.trimEnd().length > left) {
      text += `${separator.trimEnd()}\n    ${item}`;
      left = columns - 4 - item.length;
    } else {
      text += text === "" ? item : `${separator}${item}`;
      left -= more;
    }
  }
  return text;
}

const seconds = (milliseconds: number) =>
  milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
