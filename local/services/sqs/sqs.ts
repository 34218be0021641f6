import { join } from "node:path";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import type { LocalService, ServiceContext } from "../../lib/service";
import { AwsError, jsonBody, notAuthorized } from "../aws/awsError";
import { type AwsAnswer, type AwsCall, AwsServer } from "../aws/awsServer";
import { physicalName, shortHash } from "../aws/names";
import { evaluate } from "../iam/evaluate";
import type { Iam } from "../iam/iam";
import { checkedPolicy, type PolicyDocument } from "../iam/policy";
import type { Lambda } from "../lambda/lambda";
import { EventSourceMapping } from "./eventSourceMapping";
import { type RedriveAllowed, readMapping, readQueue, readRedrive, readRedriveAllowed } from "./inputs";
import { operations, text } from "./operations";
import { Queue, type QueueSettings } from "./queue";

/** A queue and the policies that decide who may use it. */
interface Registration {
  readonly queue: Queue;
  policy?: PolicyDocument;
  redriveAllowed: RedriveAllowed;
}

/** Every request counts as secure: a policy that denies plain HTTP must not deny requests on loopback. */
const requestContext = { "aws:SecureTransport": "true" };

/** The actions that Lambda performs with the function's role to take messages. */
const pollingActions = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];

/**
 * SQS on 127.0.0.1 for the unchanged AWS SDK: standard queues on disk with dead-letter queues, the policies of roles
 * and queues, and Lambda's event source mappings.
 */
export class Sqs implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:sqs/queue:Queue": (resource) => this.#makeQueue(resource),
    "aws:sqs/queuePolicy:QueuePolicy": (resource) => this.#makePolicy(resource),
    "aws:sqs/redrivePolicy:RedrivePolicy": (resource) => this.#makeRedrive(resource),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (resource) => this.#makeRedriveAllowed(resource),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (resource) => this.#makeMapping(resource),
  };

  readonly #context: ServiceContext;
  readonly #iam: Iam;
  readonly #lambda: Lambda;
  /** By ARN. */
  readonly #queues = new Map<string, Registration>();
  /** By logical name. */
  readonly #mappings = new Map<string, EventSourceMapping>();
  readonly #closing = new AbortController();
  #server: AwsServer | undefined;

  private constructor(context: ServiceContext, iam: Iam, lambda: Lambda) {
    this.#context = context;
    this.#iam = iam;
    this.#lambda = lambda;
  }

  /**
   * Starts the endpoint on port `sqs`.
   * @throws CommandError if the port is taken.
   */
  static async start(context: ServiceContext, iam: Iam, lambda: Lambda): Promise<Sqs> {
    const sqs = new Sqs(context, iam, lambda);
    const port = await context.port("sqs");
    const options = { service: "sqs", region: context.region, port, iam, contentType: "application/x-amz-json-1.0" };
    sqs.#server = await AwsServer.start({ ...options, maxBody: 2 * 1024 * 1024 }, (call) => sqs.#answer(call));
    return sqs;
  }

  /** The URL for `AWS_ENDPOINT_URL_SQS`. */
  get endpoint(): string {
    return this.#server!.url;
  }

  /** Ends the endpoint and the deliveries; the messages remain for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#server?.close();
    await Promise.all([...this.#mappings.values()].map((mapping) => mapping.close()));
    this.#mappings.clear();
  }

  #makeQueue(resource: ResourceRegistration): CreateResult {
    const name = physicalName(resource);
    if (!/^[\w-]{1,80}$/.test(name))
      throw provisioningError(resource, "its name may have 1 to 80 letters, digits, hyphens and _.");
    const settings = readQueue(resource);
    const arn = this.#arnOf(name);
    const known = this.#queues.get(arn);
    const file = join(this.#context.directory, "sqs", `${name}.jsonl`);
    const queue = known?.queue ?? new Queue(arn, file, settings, (deadLetters) => this.#queues.get(deadLetters)?.queue);
    this.#checkRedrive(resource, arn, settings.redrive);
    queue.settings = settings;
    const registration: Registration = { queue, redriveAllowed: "all" };
    this.#queues.set(arn, registration);
    const { policy, redriveAllowPolicy } = resource.inputs;
    if (policy !== undefined) registration.policy = checkedPolicy(resource, "policy", policy, "resource");
    if (redriveAllowPolicy !== undefined) registration.redriveAllowed = readRedriveAllowed(resource);
    const url = this.#urlOf(name);
    return { id: url, outputs: { arn, name, url } };
  }

  #makePolicy(resource: ResourceRegistration): CreateResult {
    this.#named(resource).policy = checkedPolicy(resource, "policy", resource.inputs.policy, "resource");
    return { id: String(resource.inputs.queueUrl), outputs: {} };
  }

  #makeRedrive(resource: ResourceRegistration): CreateResult {
    const { queue } = this.#named(resource);
    const redrive = readRedrive(resource);
    this.#checkRedrive(resource, queue.arn, redrive);
    queue.settings = { ...queue.settings, redrive };
    return { id: String(resource.inputs.queueUrl), outputs: {} };
  }

  #makeRedriveAllowed(resource: ResourceRegistration): CreateResult {
    const named = this.#named(resource);
    named.redriveAllowed = readRedriveAllowed(resource);
    for (const { queue } of this.#queues.values()) {
      const { redrive } = queue.settings;
      if (redrive?.deadLetterArn === named.queue.arn) this.#checkRedrive(resource, queue.arn, redrive);
    }
    return { id: String(resource.inputs.queueUrl), outputs: {} };
  }

  async #makeMapping(resource: ResourceRegistration): Promise<CreateResult> {
    const settings = readMapping(resource);
    const { eventSourceArn, functionName } = resource.inputs;
    const { queue } = this.#queues.get(String(eventSourceArn)) ?? {};
    if (!queue)
      throw provisioningError(
        resource,
        `eventSourceArn ${JSON.stringify(eventSourceArn)} is not a queue of this machine.`,
      );
    const runnable = () => this.#lambda.functionOf(String(functionName));
    const { name, arn, role, timeout } = runnable().settings;
    for (const action of pollingActions) {
      if (!this.#mayRole(role, `sqs:${action}`, queue.arn)) {
        throw provisioningError(
          resource,
          `The function's role ${role} does not have permissions to call ${action} on SQS.`,
        );
      }
    }
    if (queue.settings.visibilityTimeout < timeout) {
      const [hidden, runs] = [queue.settings.visibilityTimeout, timeout];
      throw provisioningError(
        resource,
        `Queue visibility timeout: ${hidden} seconds is less than Function timeout: ${runs} seconds.`,
      );
    }
    await this.#mappings.get(resource.name)?.close();
    this.#mappings.delete(resource.name);
    if (settings.enabled) {
      const { region, info } = this.#context;
      const options = { ...settings, queue, region, runnable, report: info };
      this.#mappings.set(resource.name, new EventSourceMapping(options));
    }
    const uuid = shortHash(`${resource.name} ${arn}`, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const state = settings.enabled ? "Enabled" : "Disabled";
    return { id: uuid, outputs: { uuid, functionArn: arn, functionName: name, state } };
  }

  async #answer({ method, headers, body, accessKeyId }: AwsCall): Promise<AwsAnswer> {
    const name = String(headers["x-amz-target"] ?? "").replace(/^AmazonSQS\./, "");
    const input = jsonBody(body);
    if (method === "POST" && name === "GetQueueUrl") {
      const { queue } = this.#authorized(accessKeyId, name, this.#arnOf(text(input, "QueueName")));
      return answerOf({ QueueUrl: this.#urlOf(queue.arn.split(":").at(-1)!) });
    }
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (method !== "POST" || !operation) {
      const message = `${name || method} is not simulated here; these are: ${Object.keys(operations).join(", ")}.`;
      throw new AwsError("UnsupportedOperation", 400, message);
    }
    const { queue } = this.#authorized(accessKeyId, name, this.#arnAt(text(input, "QueueUrl")));
    const caller = { id: this.#iam.roleOf(accessKeyId) ?? "administrator", closing: this.#closing.signal };
    return answerOf(await operation(queue, input, caller));
  }

  /** Checks the permission before the queue's existence, which a caller without permission must not learn. */
  #authorized(accessKeyId: string, operation: string, arn: string): Registration {
    const role = this.#iam.roleOf(accessKeyId);
    const action = `sqs:${operation}`;
    const may = role ? this.#mayRole(role, action, arn) : this.#iam.authorizeKey(accessKeyId, action, arn).allowed;
    if (!may) throw new AwsError("AccessDeniedException", 403, notAuthorized(role, action, arn));
    const found = this.#queues.get(arn);
    if (!found) throw new AwsError("QueueDoesNotExist", 400, "The specified queue does not exist.");
    return found;
  }

  /** A role needs a policy of its own that allows the action; the queue's policy can only deny it. */
  #mayRole(role: string, action: string, resource: string): boolean {
    const { policy } = this.#queues.get(resource) ?? {};
    const principal = { type: "AWS", arn: role } as const;
    const byQueue =
      policy === undefined ? undefined : evaluate([policy], { action, resource, principal, context: requestContext });
    return byQueue !== "explicitDeny" && this.#iam.authorize(role, action, resource, requestContext).allowed;
  }

  #checkRedrive(resource: ResourceRegistration, source: string, redrive: QueueSettings["redrive"]): void {
    if (!redrive) return;
    const target = this.#queues.get(redrive.deadLetterArn);
    if (!target) throw provisioningError(resource, `the dead-letter queue ${redrive.deadLetterArn} does not exist.`);
    const { redriveAllowed } = target;
    if (redriveAllowed === "all" || (redriveAllowed !== "none" && redriveAllowed.includes(source))) return;
    throw provisioningError(
      resource,
      `the redrive allow policy of ${redrive.deadLetterArn} refuses ${source} as a source.`,
    );
  }

  /** The queue that a policy resource belongs to. */
  #named(resource: ResourceRegistration): Registration {
    const { queueUrl } = resource.inputs;
    const found = this.#queues.get(this.#arnAt(String(queueUrl)));
    if (!found) throw provisioningError(resource, `there is no queue ${JSON.stringify(queueUrl)}.`);
    return found;
  }

  #arnOf(name: string): string {
    return `arn:aws:sqs:${this.#context.region}:${this.#context.accountId}:${name}`;
  }

  #urlOf(name: string): string {
    return `${this.endpoint}/${this.#context.accountId}/${name}`;
  }

  /** The ARN for a queue's URL. Only the path counts: the request has reached this host already. */
  #arnAt(url: string): string {
    const [, account, name] = /\/([^/]+)\/([^/]+)$/.exec(url) ?? [];
    return account === this.#context.accountId && name !== undefined ? this.#arnOf(name) : this.#arnOf(url);
  }
}

const answerOf = (result: object): AwsAnswer => ({ status: 200, body: JSON.stringify(result) });
