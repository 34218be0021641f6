import { join } from "node:path";

/** The folder of `package.json` and `Pulumi.yaml`. */
export const projectRoot = join(__dirname, "../..");
