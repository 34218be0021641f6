import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "./commandError";
import { heldBy } from "./dataFolderLock";

/** How pictures may be uploaded: the configuration keys `api.ownPrefix`, `api.overwrite` and `api.writers`. */
export interface Uploads {
  /** The API puts the person's `sub` and a slash before the key of an upload. */
  readonly ownPrefix: boolean;
  /** An upload replaces a picture of the same name; otherwise it is refused with 412. */
  readonly overwrite: boolean;
  readonly writers: "everyone" | "application";
}

/** Content of `.local/outputs.json`: the stack's outputs, with this machine's addresses. */
export interface Outputs {
  readonly region: string;
  readonly userPoolId: string;
  readonly userPoolClientId: string;
  /** The Cognito API. */
  readonly cognitoEndpoint: string;
  /** Managed login. */
  readonly signInUrl: string;
  /** An administrator, for this machine only. */
  readonly mysql: { host: string; port: number; user: string; password: string; database: string };
  readonly secretsManagerEndpoint: string;
  readonly secretName: string;
  readonly functionName: string;
  readonly lambdaEndpoint: string;
  readonly bucketName: string;
  readonly bucketUrl: string;
  /** With the stage. */
  readonly apiUrl: string;
  /** The settings under `api` that a front end must know before it uploads. */
  readonly uploads: Uploads;
  /** The page; a stack without a callback URL on localhost has none. */
  readonly webUrl?: string;
  /** Lists the mails with their codes as JSON, newest first. */
  readonly mailbox: string;
  /** Signs requests to this machine's AWS endpoints: the SDK requires a key. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** PEM file of the certificate authority that signed the database's certificate. */
  readonly authorityFile: string;
}

export const outputsName = "outputs.json";

/**
 * The outputs of the local system that runs on a data folder.
 *
 * @throws CommandError where none runs there, or it is not ready yet
 */
export async function readOutputs(directory: string): Promise<Outputs> {
  if ((await heldBy(directory)) === undefined) {
    throw new CommandError(`No local system runs on ${directory}. Start one with \`npm start\`, in another terminal.`);
  }
  try {
    return JSON.parse(await readFile(join(directory, outputsName), "utf8")) as Outputs;
  } catch (cause) {
    throw new CommandError("The local system is still starting; try again when it says that it is ready.", { cause });
  }
}
