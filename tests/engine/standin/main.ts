/** The executable behind each stand-in plugin; the first argument is the package. */
import { awsProvider } from "./aws";
import { cloudOfTests } from "./cloud";
import { mysqlProvider } from "./mysql";
import { type Provider, serve } from "./provider";
import { randomProvider } from "./random";

const providers: Record<string, () => Provider> = {
  aws: () => awsProvider(cloudOfTests()),
  mysql: () => mysqlProvider(cloudOfTests()),
  random: randomProvider,
};

const createProvider = providers[process.argv[2] ?? ""];
if (createProvider === undefined) {
  throw new Error(`Expected one of ${Object.keys(providers).join(", ")}, got ${process.argv[2]}`);
}
serve(createProvider());
