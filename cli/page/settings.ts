import { CommandError } from "../commandError";
import type { Uploads } from "../localOutputs";

/** The outputs of a stack that the page gets. Everyone who opens the page can read them: none may be a secret. */
export interface PublicSettings {
  readonly region: string;
  readonly userPoolClientId: string;
  /** Managed login; the OAuth endpoints are at its origin. */
  readonly signInUrl: string;
  /** The image API, with its stage. */
  readonly apiUrl: string;
  readonly bucketName: string;
  readonly bucketUrl: string;
  readonly uploads: Uploads;
  /** The page itself as it is registered with the app client, on localhost. */
  readonly webUrl: string;
  /** Lists the mails with their codes; on the local system only. */
  readonly mailbox?: string;
}

const required = ["region", "userPoolClientId", "signInUrl", "apiUrl", "bucketName", "bucketUrl", "webUrl"] as const;
const urls = ["signInUrl", "apiUrl", "bucketUrl", "webUrl", "mailbox"] as const;

/**
 * Picks the page's settings from a stack's outputs by name, so that an output that is added later is not published.
 *
 * @param whose begins the sentence of an error, for example `The stack dev`
 * @throws CommandError that names every output that is missing or is not an http or https URL
 */
export function publicSettings(outputs: Readonly<Record<string, unknown>>, whose = "The stack"): PublicSettings {
  const picked = Object.fromEntries(
    [...required, "uploads", "mailbox"]
      .filter((name) => outputs[name] !== undefined)
      .map((name) => [name, outputs[name]]),
  );
  const missing: string[] = required.filter((name) => typeof picked[name] !== "string" || picked[name] === "");
  if (typeof picked.uploads !== "object" || picked.uploads === null) missing.push("uploads");
  if (missing.length > 0) {
    throw new CommandError(
      `${whose} has no output ${missing.join(", ")}, which the page needs. Deploy this version with \`pulumi up\`.` +
        (missing.includes("webUrl")
          ? " webUrl exists where ecommerce:callbackUrls has a URL on localhost, such as http://localhost:3000/;" +
            " ecommerce:signOutUrls should have it too."
          : ""),
    );
  }
  const broken = urls.filter((name) => picked[name] !== undefined && !isWebUrl(picked[name]));
  if (broken.length > 0) {
    const got = broken.map((name) => `${name} ${JSON.stringify(picked[name])}`).join(", ");
    throw new CommandError(`${whose} has ${got}: the page needs http or https URLs there.`);
  }
  return picked as unknown as PublicSettings;
}

function isWebUrl(value: unknown): boolean {
  return typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value);
}
