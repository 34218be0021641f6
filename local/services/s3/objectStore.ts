import { type IncomingMessage, STATUS_CODES } from "node:http";
import { join } from "node:path";
import type { TimeLimits } from "../../../cli/http";
import type { CreateHandler, CreateResult, ResourceRegistration } from "../../../host/resources";
import { required } from "../../lib/inputs";
import type { LocalService, ServiceContext } from "../../lib/service";
import { assertSupportedInputs, refuse } from "../../lib/supportedInputs";
import { shortHash } from "../aws/names";
import { type PolicyDocument, PolicyError } from "../iam/policy";
import { checkBucketPolicy, type Roles } from "./access";
import { errorAnswer, S3Error } from "./answers";
import type { CorsRule } from "./cors";
import { ObjectFiles } from "./files";
import { answerHttp } from "./http";
import { type Bucket, blockAll, ObjectOperations, type S3, type S3Request } from "./operations";
import { type Answer, serve } from "./serve";

/**
 * The buckets that the program registered, kept in `<directory>/objects/` and served path style,
 * `http://127.0.0.1:<port>/<bucket>/<key>`. HTTP requests are anonymous: the bucket's policy and public-access block
 * decide what they may do. Requests of roles use `request`. A handler refuses inputs that it does not support.
 */
export class ObjectStore implements LocalService, S3 {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:s3/bucket:Bucket": (resource) => this.#makeBucket(resource),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (resource) => this.#makeOwnership(resource),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (resource) => this.#makeBlock(resource),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (resource) =>
      this.#makeEncryption(resource),
    "aws:s3/bucketPolicy:BucketPolicy": (resource) => this.#makePolicy(resource),
    "aws:s3/bucketVersioning:BucketVersioning": (resource) => this.#makeVersioning(resource),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": (resource) => this.#makeCors(resource),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (resource) => this.#makeLifecycle(resource),
  };

  readonly #context: ServiceContext;
  readonly #limits: TimeLimits | undefined;
  readonly #buckets = new Map<string, Bucket>();
  readonly #files: ObjectFiles;
  readonly #operations: ObjectOperations;
  #server: Promise<{ readonly port: number; close(): Promise<void> }> | undefined;

  /**
   * @param roles evaluates the policies of roles, for example `Iam`
   * @param limits time limits for clients, @default those of `cli/http.ts`
   */
  constructor(context: ServiceContext, roles: Roles, limits?: TimeLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#files = new ObjectFiles(join(context.directory, "objects"));
    this.#operations = new ObjectOperations(this.#files, roles, this.#buckets);
  }

  request(request: S3Request): Promise<Answer> {
    return this.#operations.request(request);
  }

  /** The URL of a bucket: `http://127.0.0.1:<port>/<bucket>`. Starts the server if it does not run yet. */
  async bucketUrl(bucket: string): Promise<string> {
    return `http://127.0.0.1:${(await this.#serve()).port}/${bucket}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await (await server?.catch(() => undefined))?.close();
  }

  #serve() {
    this.#server ??= this.#context.port("s3").then((port) =>
      serve({
        port,
        use: "s3",
        limits: this.#limits,
        answer: (request: IncomingMessage) => answerHttp(request, this.#operations, this.#buckets),
        failed: (error) => {
          this.#context.info(`The object store failed: ${error instanceof Error ? error.message : String(error)}`);
          return errorAnswer(new S3Error(500, "InternalError", "We encountered an internal error. Please try again."));
        },
        refusal: (status, message) => {
          const code = status === 403 ? "AccessDenied" : STATUS_CODES[status]!.replaceAll(" ", "");
          const answer = errorAnswer(new S3Error(status, code, message));
          return { type: "application/xml", text: String(answer.body) };
        },
      }),
    );
    return this.#server;
  }

  async #makeBucket(resource: ResourceRegistration): Promise<CreateResult> {
    assertSupportedInputs(
      resource,
      {
        simulated: ["bucket", "bucketPrefix"],
        recorded: ["forceDestroy", "tags"],
        only: { objectLockEnabled: [false], requestPayer: ["BucketOwner"] },
      },
      this.#context.region,
    );
    const bucket = bucketName(resource);
    if (this.#buckets.has(bucket))
      refuse(resource, `BucketAlreadyOwnedByYou: the bucket ${bucket} is registered twice`);
    await this.#files.makeBucket(bucket);
    this.#buckets.set(bucket, { bucket, block: blockAll, cors: [] });
    await this.#serve();
    const { region } = this.#context;
    return {
      id: bucket,
      outputs: {
        bucket,
        arn: `arn:aws:s3:::${bucket}`,
        bucketDomainName: `${bucket}.s3.amazonaws.com`,
        bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
        bucketRegion: region,
        region,
      },
    };
  }

  #makeOwnership(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(
      resource,
      { simulated: ["bucket"], only: { rule: [{ objectOwnership: "BucketOwnerEnforced" }] } },
      this.#context.region,
    );
    return { id: this.#bucketOf(resource).bucket, outputs: {} };
  }

  #makeBlock(resource: ResourceRegistration): CreateResult {
    const switches = ["blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"] as const;
    assertSupportedInputs(
      resource,
      { simulated: ["bucket", ...switches], recorded: ["skipDestroy"] },
      this.#context.region,
    );
    const bucket = this.#bucketOf(resource);
    const { inputs } = resource;
    // A setting that is left out is off, as in PutPublicAccessBlock.
    const block = {
      blockPublicAcls: inputs.blockPublicAcls === true,
      ignorePublicAcls: inputs.ignorePublicAcls === true,
      blockPublicPolicy: inputs.blockPublicPolicy === true,
      restrictPublicBuckets: inputs.restrictPublicBuckets === true,
    };
    this.#buckets.set(bucket.bucket, { ...bucket, block });
    return { id: bucket.bucket, outputs: block };
  }

  #makeEncryption(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(resource, { simulated: ["bucket", "rules"] }, this.#context.region);
    for (const rule of (resource.inputs.rules ?? []) as Record<string, unknown>[]) {
      const byDefault = [{ sseAlgorithm: "AES256" }];
      const only = { applyServerSideEncryptionByDefault: byDefault };
      assertSupportedInputs(
        { ...resource, inputs: rule },
        { simulated: [], recorded: ["bucketKeyEnabled"], only },
        this.#context.region,
      );
    }
    return { id: this.#bucketOf(resource).bucket, outputs: {} };
  }

  #makePolicy(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(resource, { simulated: ["bucket", "policy"] }, this.#context.region);
    const bucket = this.#bucketOf(resource);
    const policy = parsed(resource);
    try {
      checkBucketPolicy(bucket, policy);
    } catch (error) {
      if (error instanceof PolicyError) refuse(resource, error.message);
      throw error;
    }
    this.#buckets.set(bucket.bucket, { ...bucket, policy });
    return { id: bucket.bucket, outputs: { policy: JSON.stringify(policy) } };
  }

  #makeVersioning(resource: ResourceRegistration): CreateResult {
    const off = [{ status: "Disabled" }, { status: "Suspended" }];
    assertSupportedInputs(
      resource,
      { simulated: ["bucket"], only: { versioningConfiguration: off } },
      this.#context.region,
    );
    return { id: this.#bucketOf(resource).bucket, outputs: {} };
  }

  #makeCors(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(resource, { simulated: ["bucket", "corsRules"] }, this.#context.region);
    const bucket = this.#bucketOf(resource);
    this.#buckets.set(bucket.bucket, { ...bucket, cors: resource.inputs.corsRules as CorsRule[] });
    return { id: bucket.bucket, outputs: {} };
  }

  /** A rule may only abort multipart uploads, which do not exist here, so it has no effect; expiry is refused. */
  #makeLifecycle(resource: ResourceRegistration): CreateResult {
    assertSupportedInputs(resource, { simulated: ["bucket", "rules"] }, this.#context.region);
    for (const rule of (resource.inputs.rules ?? []) as Record<string, unknown>[]) {
      assertSupportedInputs(
        { ...resource, inputs: rule },
        { simulated: [], recorded: ["id", "status", "filter", "prefix", "abortIncompleteMultipartUpload"] },
        this.#context.region,
      );
    }
    return { id: this.#bucketOf(resource).bucket, outputs: {} };
  }

  #bucketOf(resource: ResourceRegistration): Bucket {
    const name = required(resource, "bucket");
    const list = [...this.#buckets.keys()].join(", ") || "none";
    return this.#buckets.get(name) ?? refuse(resource, `NoSuchBucket: there is no bucket ${name}; buckets: ${list}`);
  }
}

/** The bucket's name: the given one, or a stable one from the prefix or the logical name. */
function bucketName(resource: ResourceRegistration): string {
  const { bucket, bucketPrefix } = resource.inputs;
  const prefix = typeof bucketPrefix === "string" ? bucketPrefix : `${resource.name.toLowerCase()}-`;
  const name = typeof bucket === "string" ? bucket : prefix + shortHash(resource.name);
  const wellFormed = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/.test(name) && !/^\d+(\.\d+){3}$/.test(name);
  if (!wellFormed) {
    const allowed = "3 to 63 lower-case letters, digits, hyphens and single dots, with a letter or digit at both ends";
    refuse(resource, `InvalidBucketName: ${JSON.stringify(name)}; allowed: ${allowed}`);
  }
  return name;
}

function parsed(resource: ResourceRegistration): PolicyDocument {
  const { policy } = resource.inputs;
  if (typeof policy === "object" && policy !== null) return policy;
  try {
    return JSON.parse(required(resource, "policy")) as PolicyDocument;
  } catch (error) {
    refuse(resource, `MalformedPolicy: the policy is not JSON: ${(error as Error).message}`);
  }
}
