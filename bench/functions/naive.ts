import { readFileSync } from "node:fs";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createConnection } from "mysql2/promise";

interface Event {
  readonly request: { readonly userAttributes: { readonly sub: string; readonly email: string } };
}

const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS!, "utf8");

/** As the documents' original function does, at its best: reads the secret and connects (with TLS) on every call. */
export const handler = async (event: Event): Promise<Event> => {
  const client = new SecretsManagerClient({});
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: process.env.SecretName }));
  const { host, port, username, password } = JSON.parse(SecretString!);
  const ssl = { ca, verifyIdentity: true, minVersion: "TLSv1.2" };
  const connection = await createConnection({ host, port, user: username, password, ssl });
  const { sub, email } = event.request.userAttributes;
  await connection.query(
    "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, UTC_TIMESTAMP())",
    [sub, email],
  );
  await connection.end();
  client.destroy();
  return event;
};
