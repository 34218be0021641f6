import { randomUUID } from "node:crypto";
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
import { physicalName } from "../aws/names";
import type { Iam } from "../iam/iam";
import { declare, isDeclared } from "./declaredValues";
import { type Lag, Past } from "./laggingReads";
import { addVersion, notFound, type Operation, operations, text } from "./operations";
import { giveUpRotation, type RotationFunctions, Rotations, readRotation, rotationResult } from "./rotation";
import { type RotationState, type Secret, SecretStore } from "./store";

/**
 * Secrets Manager on 127.0.0.1: the unchanged AWS SDK reads and rotates secrets here, and each role may do only what
 * its policies allow. It serves only the secrets that the program registered in this run. Other secrets in the data
 * folder are not served, because a deployment would have deleted them.
 */
export class SecretsManager implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:secretsmanager/secret:Secret": (resource) => this.#makeSecret(resource),
    "aws:secretsmanager/secretVersion:SecretVersion": (resource) => this.#makeVersion(resource),
    "aws:secretsmanager/secretRotation:SecretRotation": (resource) => this.#makeRotation(resource),
  };

  /** The functions that may rotate secrets. They read secrets, so they start after this service. @default none */
  rotationFunctions: RotationFunctions = noFunctions;
  readonly #context: ServiceContext;
  readonly #iam: Iam;
  readonly #store: SecretStore;
  readonly #registered = new Map<string, Secret>();
  /** How the secrets were rotated before this start, by name. */
  readonly #rotatedBefore = new Map<string, RotationState>();
  readonly #rotations: Rotations;
  /** Undefined if every read sees the last write. */
  readonly #past: Past | undefined;
  readonly #operations: Readonly<Record<string, Operation>>;
  #server: AwsServer | undefined;

  private constructor(context: ServiceContext, iam: Iam, lag: Lag | undefined) {
    this.#context = context;
    this.#iam = iam;
    this.#store = new SecretStore(join(context.directory, "secrets", "secrets.json"));
    this.#past = lag && new Past(lag);
    this.#rotations = new Rotations({
      functions: (...rotation) => this.rotationFunctions(...rotation),
      save: () => this.#save(),
      info: (line) => context.info(line),
    });
    this.#operations = {
      ...operations,
      RotateSecret: { changes: true, run: (secret, input) => this.#rotations.rotateSecret(secret, input) },
    };
  }

  /**
   * Starts the endpoint on port `secretsmanager`.
   * @param lag makes reads return an earlier state, for tests; @default the present state
   * @throws CommandError where the port is taken.
   */
  static async start(context: ServiceContext, iam: Iam, lag?: Lag): Promise<SecretsManager> {
    const service = new SecretsManager(context, iam, lag);
    const port = await context.port("secretsmanager");
    const options = { service: "secretsmanager", region: context.region, port, iam };
    const server = { ...options, contentType: "application/x-amz-json-1.1", maxBody: 1024 * 1024 };
    service.#server = await AwsServer.start(server, async (call) => service.#answer(call));
    return service;
  }

  /** The URL for `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  get endpoint(): string {
    return this.#server!.url;
  }

  /** Waits for running rotations: stop the functions first. */
  async close(): Promise<void> {
    await this.#rotations.settled();
    await this.#server?.close();
  }

  #makeSecret(resource: ResourceRegistration): CreateResult {
    const { inputs } = resource;
    const name = physicalName(resource);
    if (!/^[\w/+=.@!-]{1,512}$/.test(name)) {
      throw provisioningError(
        resource,
        `its name is ${JSON.stringify(name)}; allowed: 1 to 512 letters, digits and /_+=.@-`,
      );
    }
    const { region, accountId } = this.#context;
    const prefix = `arn:aws:secretsmanager:${region}:${accountId}:secret:`;
    const secret = this.#store.get(name) ?? this.#store.create(name, prefix, now());
    secret.description = typeof inputs.description === "string" ? inputs.description : undefined;
    this.#registered.set(name, secret);
    // Rotation is turned on again only if the program registers it again.
    if (secret.rotation) this.#rotatedBefore.set(name, secret.rotation);
    delete secret.rotation;
    this.#save();
    return { id: secret.arn, outputs: { arn: secret.arn, name } };
  }

  /** Adds a version only if the program's own value has changed: a later version of a rotation stays current. */
  #makeVersion(resource: ResourceRegistration): CreateResult {
    const { name, inputs } = resource;
    const secret = this.#secretOf(resource);
    const [secretString, secretBinary] = [inputs.secretString, inputs.secretBinary].map((value) =>
      typeof value === "string" ? value : undefined,
    );
    if ((secretString === undefined) === (secretBinary === undefined)) {
      throw provisioningError(resource, "it needs either secretString or secretBinary.");
    }
    const value = { secretString, secretBinary };
    if (!isDeclared(secret, name, value)) {
      const stages = (inputs.versionStages as string[] | undefined) ?? ["AWSCURRENT"];
      declare(secret, name, value, (kept) => addVersion(secret, { id: randomUUID(), value: kept, stages, now: now() }));
      giveUpRotation(secret);
      this.#save();
    }
    const { versionId } = secret.declared[name]!;
    const versionStages = secret.versions[versionId]?.stages ?? [];
    return { id: `${secret.arn}|${versionId}`, outputs: { arn: secret.arn, versionId, versionStages } };
  }

  async #makeRotation(resource: ResourceRegistration): Promise<CreateResult> {
    const { functionArn, days, rotateImmediately } = readRotation(resource);
    const secret = this.#secretOf(resource);
    secret.rotation = this.#rotatedBefore.get(secret.name);
    this.#rotations.turnOn(secret, functionArn, days);
    await this.#rotations.catchUp(secret, rotateImmediately);
    return rotationResult(secret);
  }

  #answer({ method, headers, body, accessKeyId }: AwsCall): AwsAnswer {
    const name = String(headers["x-amz-target"] ?? "").replace(/^secretsmanager\./, "");
    const operation = Object.hasOwn(this.#operations, name) ? this.#operations[name] : undefined;
    if (method !== "POST" || !operation) {
      const known = Object.keys(this.#operations).join(", ");
      throw new AwsError(
        "UnknownOperationException",
        400,
        `${name || method} is not simulated here; these are: ${known}.`,
      );
    }
    const input = jsonBody(body);
    const id = text(input, "SecretId");
    if (!id) throw new AwsError("InvalidParameterException", 400, "You must provide SecretId.");
    const secret = this.#find(id);
    this.#authorize(accessKeyId, `secretsmanager:${name}`, secret?.arn ?? this.#arnOfUnknown(id));
    if (!secret) throw notFound();
    const seen = operation.changes ? secret : (this.#past?.seen(secret.name, name, input) ?? secret);
    const result = operation.run(seen, input, now());
    if (operation.changes) this.#save();
    return { status: 200, body: JSON.stringify(result) };
  }

  #save(): void {
    this.#store.save();
    this.#past?.note(this.#registered.values());
  }

  /** Runs before the answer shows whether the secret exists, as on AWS: only a permitted caller may see that. */
  #authorize(accessKeyId: string, action: string, resource: string): void {
    if (this.#iam.authorizeKey(accessKeyId, action, resource).allowed) return;
    const who = this.#iam.roleOf(accessKeyId);
    throw new AwsError("AccessDeniedException", 400, notAuthorized(who, action, resource));
  }

  /** By name, ARN, or ARN without its six random characters. */
  #find(id: string): Secret | undefined {
    const named = this.#registered.get(id);
    if (named || !id.startsWith("arn:")) return named;
    return [...this.#registered.values()].find(({ arn }) => arn === id || arn.slice(0, -7) === id);
  }

  /** The secret that a version or a rotation belongs to. */
  #secretOf(resource: ResourceRegistration): Secret {
    const { secretId } = resource.inputs;
    const secret = this.#find(String(secretId));
    if (!secret) throw provisioningError(resource, `there is no secret ${JSON.stringify(secretId)}.`);
    return secret;
  }

  #arnOfUnknown(id: string): string {
    const { region, accountId } = this.#context;
    return id.startsWith("arn:") ? id : `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}`;
  }
}

const noFunctions: RotationFunctions = (functionArn) => {
  throw new AwsError("ResourceNotFoundException", 404, `Function not found: ${functionArn}`);
};

/** Seconds since 1970, the protocol's unit. */
function now(): number {
  return Date.now() / 1000;
}
