/**
 * The resources of @pulumi/mysql, created as its provider creates them (github.com/petoju/terraform-provider-mysql), on
 * the server that their provider names. The provider keeps a state. These handlers have none, so what they create may
 * exist already.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import type { ConnectionOptions } from "mysql2/promise";
import { CommandError } from "../../../cli/commandError";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import { boolean, optional, required, string, strings } from "../../lib/inputs";
import { type Session, withSession } from "../../mysql/session";
import { account, identifier, quote } from "../../mysql/sql";
import { applyGrant } from "./grant";

/** The provider inserts such values into statements unescaped, so they must not be able to end a literal. */
const unescaped = /^[^'"`\\]+$/;

/**
 * @param sslCertFile PEM file that the provider trusts beside the system's authorities, as Go does by SSL_CERT_FILE
 * @returns the handlers by type token
 */
export function mysqlProviderHandlers(sslCertFile?: string): Record<string, CreateHandler> {
  const owners = new Map<string, string>();
  const claim = (resource: ResourceRegistration, id: string) => {
    const key = `${resource.type} ${id}`;
    const other = owners.get(key);
    if (other !== undefined && other !== resource.name) {
      throw provisioningError(resource, `${id} is already created by "${other}".`);
    }
    owners.set(key, resource.name);
  };
  const provider: Provider = { claim, verified: verifiedBy(sslCertFile) };
  return {
    "pulumi:providers:mysql": async (resource) => {
      // The real provider connects at its first use; here a wrong address or password is reported at once.
      const connection = await readConnection(resource.inputs, resource, provider);
      await withSession(`the mysql provider "${resource.name}"`, connection, async () => {});
      return { id: resource.name, outputs: {} };
    },
    "mysql:index/database:Database": (resource) => makeDatabase(resource, provider),
    "mysql:index/user:User": (resource) => makeUser(resource, provider),
    "mysql:index/grant:Grant": (resource) => makeGrant(resource, provider),
  };
}

type SslOptions = NonNullable<Exclude<ConnectionOptions["ssl"], string>>;

/** What the resources of one provider share. */
interface Provider {
  /** @throws CommandError if another resource has created it already */
  claim(resource: ResourceRegistration, id: string): void;
  /** TLS options of a connection that verifies the server. */
  verified(): Promise<SslOptions>;
}

async function makeDatabase(resource: ResourceRegistration, provider: Provider): Promise<CreateResult> {
  const name = optional(resource, "name", "1 to 64 characters", /^.{1,64}$/su) ?? resource.name;
  const characterSet = optional(resource, "defaultCharacterSet", "a character set", /^\w+$/) ?? "utf8mb4";
  const collation = optional(resource, "defaultCollation", "a collation", /^\w+$/) ?? "utf8mb4_general_ci";
  provider.claim(resource, name);
  await asProvider(resource, provider, async (session) => {
    const what = provisioningError(resource, `the database ${name} could not be created`).message;
    const options = `CHARACTER SET ${identifier(characterSet)} COLLATE ${identifier(collation)}`;
    await session.run(what, `CREATE DATABASE IF NOT EXISTS ${identifier(name)} ${options}`);
    await session.run(what, `ALTER DATABASE ${identifier(name)} ${options}`);
  });
  return { id: name, outputs: { name, defaultCharacterSet: characterSet, defaultCollation: collation } };
}

async function makeUser(resource: ResourceRegistration, provider: Provider): Promise<CreateResult> {
  const noQuote = "characters other than quotes and backslashes, because the provider inserts them into SQL unescaped";
  const user = required(resource, "user", `1 to 32 ${noQuote}`, /^[^'"`\\]{1,32}$/);
  const host = optional(resource, "host", noQuote, unescaped) ?? "localhost";
  const rule = "NONE, SSL, X509, or ISSUER, SUBJECT, CIPHER with a quoted text";
  const tlsOption = optional(
    resource,
    "tlsOption",
    rule,
    /^(NONE|SSL|X509|((ISSUER|SUBJECT|CIPHER) '[^'\\]+'( AND )?)+)$/i,
  );
  const plugin = optional(resource, "authPlugin", "the name of a plugin", /^\w+$/);
  if (plugin === "AWSAuthenticationPlugin") {
    throw provisioningError(
      resource,
      "authPlugin AWSAuthenticationPlugin exists in RDS only: on this machine use a password.",
    );
  }
  const key = string(resource, "plaintextPassword") === undefined ? "password" : "plaintextPassword";
  const password = optional(resource, key, noQuote, unescaped);
  if (password === undefined && plugin === undefined) {
    throw provisioningError(resource, "plaintextPassword is missing: the account would be open to everyone.");
  }
  const id = `${user}@${host}`;
  provider.claim(resource, id);
  const identified = [
    plugin === undefined ? "IDENTIFIED" : `IDENTIFIED WITH ${identifier(plugin)}`,
    password === undefined ? "" : `BY ${quote(password)}`,
  ].join(" ");
  await asProvider(resource, provider, async (session) => {
    const what = provisioningError(resource, `the user ${id} could not be created`).message;
    const require = `REQUIRE ${tlsOption ?? "NONE"}`;
    const mark = `ATTRIBUTE ${quote(JSON.stringify({ registered: sha256(identified) }))}`;
    const find = `SELECT ATTRIBUTE->>'$.registered' AS mark FROM information_schema.USER_ATTRIBUTES`;
    await session.run(what, `CREATE USER IF NOT EXISTS ${account(user, host)} ${identified} ${require} ${mark}`);
    const [found] = await session.run(what, `${find} WHERE USER = ${quote(user)} AND HOST = ${quote(host)}`);
    // As with the real provider, which compares with its state: a password that a rotation has set stays until the
    // program's own password changes. The mark is stored with the account, so both are always lost or kept together.
    const options = found?.mark === sha256(identified) ? require : `${identified} ${require} ${mark}`;
    await session.run(what, `ALTER USER ${account(user, host)} ${options}`);
  });
  // The real provider stores and returns a hash: a program that reads the password from this output fails on AWS too.
  const hash = key === "plaintextPassword" && password !== undefined ? sha256(password) : undefined;
  return { id, outputs: { user, host, tlsOption: tlsOption ?? "NONE", ...(hash && { plaintextPassword: hash }) } };
}

async function makeGrant(resource: ResourceRegistration, provider: Provider): Promise<CreateResult> {
  for (const key of ["role", "roles"]) {
    if (resource.inputs[key] !== undefined)
      throw provisioningError(resource, `${key} is not supported on this machine.`);
  }
  const noQuote = "characters other than quotes and backslashes, because the provider inserts them into SQL unescaped";
  const user = required(resource, "user", noQuote, unescaped);
  const host = optional(resource, "host", noQuote, unescaped) ?? "localhost";
  const database = required(resource, "database", "a database or *", /^(?!(procedure|function) )[^`]{1,64}$/i);
  const table = optional(resource, "table", "a table or *", /^[^`]{1,64}$/) ?? "*";
  optional(resource, "tlsOption", "NONE: MySQL 8 accepts others in mysql.User only", /^none$/i);
  const grant = boolean(resource, "grant") ?? false;
  const privileges = strings(resource, "privileges");
  if (privileges.length === 0)
    throw provisioningError(resource, "privileges is empty: name at least one, such as SELECT.");
  for (const privilege of privileges) {
    if (/^[a-z_ ]+(\([^()]+\))?$/i.test(privilege)) continue;
    throw provisioningError(
      resource,
      `privileges holds ${JSON.stringify(privilege)}; allowed: names such as SELECT or SELECT(column).`,
    );
  }
  const place = `${database === "*" ? "*" : identifier(database)}.${table === "*" ? "*" : identifier(table)}`;
  const id = `${user}@${host}:${place.replace(".", ":")}`;
  provider.claim(resource, id);
  await asProvider(resource, provider, async (session) => {
    const what = provisioningError(
      resource,
      `the privileges of ${user}@${host} on ${place} could not be granted`,
    ).message;
    await applyGrant(session, what, { account: account(user, host), place, privileges, grant });
  });
  return { id, outputs: { user, host, database, table, grant, tlsOption: "NONE" } };
}

async function asProvider<T>(
  resource: ResourceRegistration,
  provider: Provider,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (resource.providerInputs === undefined) {
    throw provisioningError(
      resource,
      "it has no provider of its own: pass { provider: new mysql.Provider(…) } in its options.",
    );
  }
  return withSession(
    `${resource.type} "${resource.name}"`,
    await readConnection(resource.providerInputs, resource, provider),
    work,
  );
}

/**
 * Reads the provider's inputs as the real provider does: `tls` is "false" by default, "true" verifies the
 * server by the system's authorities and those of `sslCertFile`, "skip-verify" encrypts only.
 */
async function readConnection(
  inputs: Readonly<Record<string, unknown>>,
  resource: ResourceRegistration,
  provider: Provider,
): Promise<ConnectionOptions> {
  const text = (key: string) => {
    const value = inputs[key];
    if (typeof value !== "string" || value === "")
      throw provisioningError(resource, `its provider lacks ${key}, which must be a string.`);
    return value;
  };
  if (inputs.proxy !== undefined)
    throw provisioningError(resource, "its provider's proxy is not supported on this machine.");
  const endpoint = /^([^:/]+):(\d+)$/.exec(text("endpoint"));
  if (endpoint === null)
    throw provisioningError(resource, `its provider's endpoint is ${text("endpoint")}, and must be host:port.`);
  const [, host, port] = endpoint;
  const tls = inputs.tls ?? "false";
  const connection = { host, port: Number(port), user: text("username"), password: text("password") };
  switch (String(tls)) {
    case "true":
      return { ...connection, ssl: await provider.verified() };
    case "skip-verify":
      return { ...connection, ssl: { rejectUnauthorized: false } };
    case "false":
      return connection;
    default:
      throw provisioningError(resource, `its provider's tls is ${tls}, and may be "true", "skip-verify" or "false".`);
  }
}

/**
 * TLS options that trust the system's authorities and those of a PEM file.
 *
 * Every call returns one object: mysql2 keeps the TLS context of an options object, and to parse the system's 150
 * authorities takes 50 ms of each connection.
 */
function verifiedBy(file: string | undefined): () => Promise<SslOptions> {
  let options: SslOptions | undefined;
  return async () => {
    options ??= { ca: [...rootCertificates, ...(file ? [await readAuthorities(file)] : [])], verifyIdentity: true };
    return options;
  };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CommandError(
      `The file of certificate authorities is ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
