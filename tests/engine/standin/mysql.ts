/**
 * Replaces the mysql provider and runs the same statements on the real server as
 * github.com/petoju/terraform-provider-mysql: it creates without IF NOT EXISTS, and revokes GRANT OPTION before a
 * grant's privileges. It reaches the server only while the instance has a public address, as the deployer would.
 */
import { type Connection, createConnection, type QueryError } from "mysql2/promise";
import type { Cloud } from "./cloud";
import { changedKeys, type Properties, type Provider } from "./provider";

interface Kind {
  readonly defaults: Properties;
  readonly replaces: readonly string[];
  id(inputs: Properties): string;
  create(connection: Connection, inputs: Properties): Promise<unknown>;
  update(connection: Connection, inputs: Properties, changed: readonly string[]): Promise<unknown>;
  /** Fails if it does not exist. */
  find(connection: Connection, outputs: Properties): Promise<unknown>;
  delete(connection: Connection, outputs: Properties): Promise<unknown>;
}

const quoted = (name: string) => (name === "*" ? "*" : `\`${name}\``);
const place = ({ database, table }: Properties) => `${quoted(database)}.${quoted(table)}`;
const options = ({ defaultCharacterSet, defaultCollation }: Properties) =>
  `CHARACTER SET ${defaultCharacterSet} COLLATE ${defaultCollation}`;

const kinds: Readonly<Record<string, Kind>> = {
  "mysql:index/database:Database": {
    defaults: { defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_general_ci" },
    replaces: ["name"],
    id: (inputs) => inputs.name,
    create: (connection, inputs) => connection.query(`CREATE DATABASE ${quoted(inputs.name)} ${options(inputs)}`),
    update: (connection, inputs) => connection.query(`ALTER DATABASE ${quoted(inputs.name)} ${options(inputs)}`),
    find: (connection, outputs) => connection.query(`SHOW CREATE DATABASE ${quoted(outputs.name)}`),
    delete: (connection, outputs) => connection.query(`DROP DATABASE ${quoted(outputs.name)}`),
  },
  "mysql:index/user:User": {
    defaults: { host: "localhost", tlsOption: "NONE" },
    replaces: ["user", "host"],
    id: ({ user, host }) => `${user}@${host}`,
    create: (connection, { user, host, plaintextPassword, tlsOption }) =>
      connection.query(`CREATE USER ?@? IDENTIFIED BY ? REQUIRE ${tlsOption}`, [user, host, plaintextPassword]),
    async update(connection, { user, host, plaintextPassword, tlsOption }, changed) {
      if (changed.includes("plaintextPassword")) {
        await connection.query("ALTER USER ?@? IDENTIFIED BY ?", [user, host, plaintextPassword]);
      }
      if (changed.includes("tlsOption")) await connection.query(`ALTER USER ?@? REQUIRE ${tlsOption}`, [user, host]);
    },
    find: (connection, { user, host }) => connection.query("SHOW CREATE USER ?@?", [user, host]),
    delete: (connection, { user, host }) => connection.query("DROP USER ?@?", [user, host]),
  },
  "mysql:index/grant:Grant": {
    defaults: { host: "localhost", table: "*", tlsOption: "NONE", grant: false },
    replaces: ["user", "host", "database", "table"],
    id: (inputs) => `${inputs.user}@${inputs.host}:${place(inputs)}`,
    create: (connection, inputs) =>
      connection.query(`GRANT ${inputs.privileges.join(", ")} ON ${place(inputs)} TO ?@?`, [inputs.user, inputs.host]),
    async update(connection, inputs) {
      await this.delete(connection, inputs);
      await this.create(connection, inputs);
    },
    find: (connection, { user, host }) => connection.query("SHOW GRANTS FOR ?@?", [user, host]),
    async delete(connection, outputs) {
      const account = [outputs.user, outputs.host];
      await connection.query(`REVOKE GRANT OPTION ON ${place(outputs)} FROM ?@?`, account);
      await connection.query(`REVOKE ${outputs.privileges.join(", ")} ON ${place(outputs)} FROM ?@?`, account);
    },
  },
};

/** The properties of the one database that a test imports. */
const importedDatabase = { defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_0900_ai_ci" };

export function mysqlProvider(cloud: Cloud): Provider {
  let settings: Readonly<Record<string, string>> = {};

  async function connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const setting = (key: string) => settings[`mysql:config:${key}`] ?? "";
    const [host, port] = setting("endpoint").split(":");
    const reachable = cloud.things().some(({ inputs }) => inputs.publiclyAccessible === true);
    if (!reachable) throw new Error(`dial tcp ${setting("endpoint")}: i/o timeout (no public address)`);
    const connection = await createConnection({
      host,
      port: Number(port),
      user: setting("username"),
      password: setting("password"),
      ssl: { rejectUnauthorized: false },
    });
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  }

  return {
    version: require("@pulumi/mysql/package.json").version,
    configure(given) {
      settings = given;
    },
    check: ({ type }, inputs) => ({ ...kindOf(type).defaults, ...inputs }),
    diff({ type }, oldInputs, inputs) {
      const changed = changedKeys(oldInputs, inputs);
      return { changed, replaces: changed.filter((key) => kindOf(type).replaces.includes(key)), deleteFirst: false };
    },
    async create(subject, inputs, preview) {
      if (preview) return { id: "", outputs: inputs };
      cloud.mayFail(subject);
      await connected((connection) => kindOf(subject.type).create(connection, inputs));
      return { id: kindOf(subject.type).id(inputs), outputs: inputs };
    },
    async update(subject, _id, old, inputs, preview) {
      const changed = changedKeys(old.inputs, inputs);
      if (!preview) await connected((connection) => kindOf(subject.type).update(connection, inputs, changed));
      return inputs;
    },
    async read({ type }, id, outputs) {
      // 1049 unknown database, 1141 no such grant, 3162 and 1396 no such user: the resource does not exist.
      const gone = (error: QueryError & { errno?: number }) => {
        if (![1049, 1141, 3162, 1396].includes(error.errno ?? 0)) throw error;
        return undefined;
      };
      const known = type === "mysql:index/database:Database" ? { ...importedDatabase, name: id, ...outputs } : outputs;
      return connected((connection) => kindOf(type).find(connection, known)).then(() => known, gone);
    },
    inputsOf: (_subject, _id, outputs) => outputs,
    async delete({ type }, _id, outputs) {
      await connected((connection) => kindOf(type).delete(connection, outputs));
    },
    invoke(token) {
      throw new Error(`${token} is not supported`);
    },
  };
}

function kindOf(type: string): Kind {
  const kind = kinds[type];
  if (kind === undefined) throw new Error(`The stand-in does not support ${type}`);
  return kind;
}
