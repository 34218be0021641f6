/** Queues with their endpoint, and with roles and functions for tests that need them. */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Credentials } from "../../../../local/services/iam/iam";
import { Sqs } from "../../../../local/services/sqs/sqs";
import { type LambdaService, startLambda } from "../lambda/support";

export class Queues {
  readonly #clients: SQSClient[] = [];

  private constructor(
    readonly lambdaService: LambdaService,
    public sqs: Sqs,
  ) {}

  static async start(): Promise<Queues> {
    const lambdaService = await startLambda();
    return new Queues(lambdaService, await Sqs.start(lambdaService.context, lambdaService.iam, lambdaService.lambda));
  }

  /** Closes the service and starts it again on the same folder, as the next `npm start` does, without any queue. */
  async restart(): Promise<void> {
    await this.sqs.close();
    this.sqs = await Sqs.start(this.lambdaService.context, this.lambdaService.iam, this.lambdaService.lambda);
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.sqs.close();
    await this.sqs.close();
    await this.lambdaService.end();
  }

  async make(type: string, name: string, inputs: Record<string, unknown>): Promise<any> {
    return (await this.sqs.handlers[type]!({ type, name, inputs })).outputs;
  }
  /** @returns its URL */
  async queue(name: string, inputs: Record<string, unknown> = {}): Promise<string> {
    return (await this.make("aws:sqs/queue:Queue", name, { name, ...inputs })).url;
  }
  arn(name: string): string {
    return `arn:aws:sqs:${this.lambdaService.context.region}:${this.lambdaService.context.accountId}:${name}`;
  }
  /** A queue `work` whose messages go to `dead` after `maxReceiveCount` receives. */
  async withDeadLetters(maxReceiveCount: number, inputs: Record<string, unknown> = {}) {
    const dead = await this.queue("dead");
    const redrivePolicy = JSON.stringify({ deadLetterTargetArn: this.arn("dead"), maxReceiveCount });
    return { dead, work: await this.queue("work", { redrivePolicy, ...inputs }) };
  }
  /** Allows the functions' role these actions. */
  async allow(action: string | string[], resource: string, name = "policy"): Promise<void> {
    const Statement = [{ Effect: "Allow", Action: action, Resource: resource }];
    const type = "aws:iam/rolePolicy:RolePolicy";
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await this.lambdaService.iam.handlers[type]!({ type, name, inputs: { role: this.lambdaService.role, policy } });
  }

  client(credentials: Credentials = this.lambdaService.iam.administrator): SQSClient {
    const { region } = this.lambdaService.context;
    const client = new SQSClient({ region, endpoint: this.sqs.endpoint, credentials, maxAttempts: 1 });
    this.#clients.push(client);
    return client;
  }
  send(QueueUrl: string, MessageBody: string, more: Record<string, unknown> = {}) {
    return this.client().send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
  }
  async receive(QueueUrl: string, more: Record<string, unknown> = {}) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All" as const], ...more };
    return (await this.client().send(new ReceiveMessageCommand(input))).Messages ?? [];
  }
  delete(QueueUrl: string, ReceiptHandle: string | undefined) {
    return this.client().send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  }
  /** The numbers of visible messages and of hidden ones (received or delayed). */
  async count(QueueUrl: string): Promise<[number, number]> {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
    const attributes = (await this.client().send(command)).Attributes!;
    return [
      Number(attributes.ApproximateNumberOfMessages),
      Number(attributes.ApproximateNumberOfMessagesNotVisible) + Number(attributes.ApproximateNumberOfMessagesDelayed),
    ];
  }
}

export const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
