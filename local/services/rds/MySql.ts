/** The MySQL of this machine: `aws.rds.Instance`, `aws.rds.Cluster` and everything of @pulumi/mysql. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { CreateHandler } from "../../../host/resources";
import { type Certificates, ensureCertificates } from "../../lib/certificates";
import type { LocalService, ServiceContext } from "../../lib/service";
import { ensureData, waitForPreviousServer } from "../../mysql/dataFolder";
import type { Version } from "../../mysql/program";
import { type Credentials, type RunningServer, startServer } from "../../mysql/server";
import { type Session, withSession } from "../../mysql/session";
import { findMySql, type MySqlSource } from "../../mysql/sources";
import { quote } from "../../mysql/sql";
import { startTlsProxy, type TlsProxy } from "../../mysql/tlsProxy";
import { clusterHandlers } from "./cluster";
import { makeInstance } from "./instance";
import { mysqlProviderHandlers } from "./mysqlProvider";
import { ParameterGroups } from "./parameterGroups";
import { type Database, OnlyDatabase } from "./rds";

/** The account with all privileges, and the address of the server. */
export interface Administrator extends Credentials {
  /** Not `localhost`: for that name MySQL's own client uses a socket and ignores the port. */
  readonly host: "127.0.0.1";
  readonly port: number;
}

/**
 * One MySQL server on 127.0.0.1, either started by this program or an existing server behind a TLS proxy, and the
 * resources that are created on it.
 */
export class MySql implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>>;
  /** Which MySQL runs and where it came from, in words. */
  readonly description: string;
  /** PEM file of the authority that signed the server's certificate for `localhost`. */
  readonly caFile: string;
  readonly #port: number;
  readonly #credentials: Credentials;
  readonly #stop: () => Promise<void>;
  readonly #only = new OnlyDatabase();
  #closing: Promise<void> | undefined;

  /**
   * Starts the server (or the TLS proxy in front of an existing one) on port `mysql`, its data in
   * `<context.directory>/mysql`, its certificates in `<context.directory>/tls`.
   * @param find finds the MySQL to run, @default as `sources.ts` describes
   * @throws CommandError where there is no MySQL, or its port or its data cannot be used
   */
  static async start(context: ServiceContext, find: typeof findMySql = findMySql): Promise<MySql> {
    const source = await find((line) => context.info(line));
    const certificates = await ensureCertificates(path.join(context.directory, "tls"));
    const directory = path.join(context.directory, "mysql");
    // Before a port is chosen: creating the data takes seconds, and meanwhile another program could take the port.
    if (source.kind === "program") await ensureData(source.program, directory);
    else await waitForPreviousServer(directory);
    const port = await context.port("mysql");
    const backend =
      source.kind === "program"
        ? own(await startServer({ program: source.program, directory, port, certificates }), source, context)
        : existing(await startTlsProxy({ port, target: source.server, certificates }), source, context);
    return new MySql(context, source.description, port, certificates, backend);
  }

  private constructor(
    context: ServiceContext,
    description: string,
    port: number,
    certificates: Certificates,
    backend: Backend,
  ) {
    this.description = description;
    this.caFile = certificates.caFile;
    this.#port = port;
    this.#credentials = backend.administrator;
    this.#stop = backend.stop;
    const server = {
      context,
      port,
      version: backend.version,
      administrator: backend.administrator.user,
      asAdministrator: <T>(work: (session: Session) => Promise<T>) => this.#asAdministrator(work),
      setParameter: backend.setParameter,
    };
    const instances = new ParameterGroups(context, "pg");
    const clusters = new ParameterGroups(context, "cluster-pg");
    this.handlers = {
      "aws:rds/parameterGroup:ParameterGroup": instances.make,
      "aws:rds/clusterParameterGroup:ClusterParameterGroup": clusters.make,
      "aws:rds/instance:Instance": (resource) => makeInstance(resource, instances, this.#only, server),
      ...clusterHandlers({ instances, clusters }, this.#only, server),
      ...mysqlProviderHandlers(this.caFile),
    };
  }

  /** Has all privileges. It exists on this machine only; RDS has no such account. */
  get administrator(): Administrator {
    return { host: "127.0.0.1", port: this.#port, ...this.#credentials };
  }

  /** Environment variables with which a program and its providers trust this server. */
  get trustingEnvironment(): NodeJS.ProcessEnv {
    return { ...process.env, NODE_EXTRA_CA_CERTS: this.caFile, SSL_CERT_FILE: this.caFile };
  }

  /** The instance or cluster that the program registered; undefined before that. */
  get database(): Database | undefined {
    return this.#only.database;
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async #asAdministrator<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const ssl = { ca: await readFile(this.caFile, "utf8"), verifyIdentity: true };
    return withSession("the administrator", { host: "localhost", port: this.#port, ...this.#credentials, ssl }, work);
  }
}

/** What differs between a server that this program starts and an existing one. */
interface Backend {
  readonly version: Version;
  readonly administrator: Credentials;
  setParameter(session: Session, name: string, value: string): Promise<void>;
  stop(): Promise<void>;
}

function own(server: RunningServer, source: MySqlSource & { kind: "program" }, context: ServiceContext): Backend {
  let stopping = false;
  server.exited.then(() => {
    if (!stopping)
      context.info(`MySQL exited unexpectedly; its log: ${path.join(context.directory, "mysql/mysqld.log")}`);
  });
  return {
    version: source.program.version,
    administrator: server.administrator,
    setParameter: async (session, name, value) => {
      const literal = /^-?\d+$/.test(value) ? value : quote(value);
      await session.run(`the parameter ${name} could not be set`, `SET GLOBAL ${name} = ${literal}`);
    },
    stop: () => {
      stopping = true;
      return server.stop();
    },
  };
}

/** An existing server keeps its settings; the proxy in front of it applies `require_secure_transport` only. */
function existing(proxy: TlsProxy, source: MySqlSource & { kind: "server" }, context: ServiceContext): Backend {
  const { user, password, version } = source.server;
  return {
    version,
    administrator: { user, password },
    setParameter: async (_session, name, value) => {
      if (name === "require_secure_transport") proxy.requireSecureTransport(/^(1|on)$/i.test(value));
      else context.info(`Note: the parameter ${name} is not applied to ${source.server.origin}.`);
    },
    stop: () => proxy.close(),
  };
}
