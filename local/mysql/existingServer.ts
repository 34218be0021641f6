/** A MySQL server that is already running, named by `LOCAL_MYSQL_URL`. */
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { checkKind, parseVersion, type Version } from "./program";

export interface ExistingServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly version: Version;
  /** Where it is, as text for messages, without the password. */
  readonly origin: string;
}

/**
 * Connects once to the server that a URL names.
 * @param text `mysql://user:password@host:port`, special characters percent-encoded; the default port is 3306
 * @throws Error with a sentence, never with the password, where the URL is wrong or the server cannot be used
 */
export async function existingServer(text: string): Promise<ExistingServer> {
  const url = parse(text);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || 3306);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const origin = `the server at ${host}:${port} (LOCAL_MYSQL_URL)`;
  const fullVersion = await ask({ host, port, user, password }, origin);
  const version = parseVersion(fullVersion);
  if (version === undefined) throw new Error(`${origin} has the unknown version ${JSON.stringify(fullVersion)}`);
  checkKind(origin, fullVersion, version);
  return { host, port, user, password, version, origin };
}

function parse(text: string): URL {
  const form = "LOCAL_MYSQL_URL must look like mysql://user:password@host:3306";
  let url: URL;
  try {
    url = new URL(text);
    decodeURIComponent(url.username + url.password);
  } catch {
    // The message does not repeat the text, which may contain a password.
    throw new Error(`${form}, and is not a URL (special characters of the password must be percent-encoded)`);
  }
  if (url.protocol !== "mysql:") throw new Error(`${form}, and begins with ${url.protocol}//`);
  if (url.hostname === "" || url.username === "") throw new Error(`${form}, and lacks the host or the user`);
  if (url.pathname.length > 1) throw new Error(`${form}, without a database (${url.pathname})`);
  return url;
}

async function ask(server: { host: string; port: number; user: string; password: string }, origin: string) {
  try {
    // The certificate cannot be verified: one that MySQL generates contains no host name. The connection stays in this
    // machine's own network.
    const connection = await createConnection({ ...server, ssl: { rejectUnauthorized: false }, connectTimeout: 5_000 });
    try {
      const [rows] = await connection.query<RowDataPacket[]>("SELECT VERSION() AS version");
      return String(rows[0]?.version);
    } finally {
      connection.destroy();
    }
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === "HANDSHAKE_NO_SSL_SUPPORT") {
      throw new Error(`${origin} does not offer TLS, which the function requires: start it with a certificate`);
    }
    throw new Error(`${origin} cannot be used: ${message}`);
  }
}
