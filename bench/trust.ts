import type { LocalService } from "../local/lib/service";

/** Lets this process's own connections trust the server; closing leaves the environment as it was found. */
export function trusting(caFile: string, environment: NodeJS.ProcessEnv = process.env): LocalService {
  const names = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
  const found = names.map((name) => environment[name]);
  for (const name of names) environment[name] = caFile;
  return {
    handlers: {},
    async close() {
      for (const [i, name] of names.entries()) {
        if (found[i] === undefined) delete environment[name];
        else environment[name] = found[i];
      }
    },
  };
}
