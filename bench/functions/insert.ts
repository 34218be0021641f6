import { readFileSync } from "node:fs";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createConnection } from "mysql2/promise";

interface Event {
  readonly request: { readonly userAttributes: { readonly sub: string; readonly email: string } };
}

/** The shortest possible registration: no checks, no time limit, no retry. */
const statement = prepare();

async function prepare() {
  const client = new SecretsManagerClient({});
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: process.env.SecretName }));
  client.destroy();
  const { host, port, username, password } = JSON.parse(SecretString!);
  const ssl = { ca: readFileSync(process.env.NODE_EXTRA_CA_CERTS!, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ host, port, user: username, password, ssl });
  return connection.prepare(
    "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, UTC_TIMESTAMP())",
  );
}

/** The same prepared INSERT on an open connection as in `processes/insert.cjs`, alone in a function. */
export const handler = async (event: Event): Promise<Event> => {
  const { sub, email } = event.request.userAttributes;
  await (await statement).execute([sub, email]);
  return event;
};
