import { parseArgs } from "node:util";
import { explained } from "../../local/host/explained";
import { StartError } from "../../local/host/part";
import { fixedPrices } from "./fixed";
import { priceRegion } from "./prices";
import { jsonReport, textReport } from "./report";
import { evaluateStack, projectRoot } from "./stack";
import { thousandSignUps, thousandUploads } from "./variable";

const usage = `npm run cost -- --stack NAME [--set KEY=VALUE]... [--json]

What a stack costs: each month before anybody uses it, for 1,000 sign-ups, and for 1,000 uploads. Evaluates the program on
this machine with the configuration in Pulumi.NAME.yaml; asks AWS nothing and needs no credentials.

  --stack NAME      the stack
  --set KEY=VALUE   as if the stack's configuration had this value, such as --set database.multiAz=false; may be repeated
  --json            for machines: one JSON object
  --help            show this

The prices stand in operations/cost/prices.ts, each with its page and date, for ${priceRegion} only.`;

/** The command `npm run cost`. Sets the exit code: 0, or 1 with the reason on standard error. */
export async function main(args: string[]): Promise<void> {
  try {
    const options = readOptions(args);
    if (options === undefined) {
      console.log(usage);
      return;
    }
    const { region, resources } = await evaluateStack(projectRoot, options.stack, options.overrides);
    if (region !== priceRegion) {
      throw new StartError(
        `Stack ${options.stack} is in ${region}, which is not in the price table: operations/cost/prices.ts has ` +
          `${priceRegion} only. Look that region's prices up, and put them there.`,
      );
    }
    const cost = {
      stack: options.stack,
      region,
      fixed: fixedPrices(resources),
      signUps: thousandSignUps(resources),
      uploads: thousandUploads(resources),
    };
    console.log(options.json ? jsonReport(cost) : textReport(cost));
  } catch (error) {
    console.error(explained(error) ?? error);
    process.exitCode = 1;
  }
}

/** @returns undefined where help is asked for */
function readOptions(args: string[]): { stack: string; overrides: string[]; json: boolean } | undefined {
  let values: { stack?: string; set?: string[]; json?: boolean; help?: boolean };
  try {
    const options = {
      stack: { type: "string" },
      set: { type: "string", multiple: true },
      json: { type: "boolean" },
      help: { type: "boolean" },
    } as const;
    values = parseArgs({ args, options }).values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
  if (values.help) return undefined;
  if (!values.stack) throw new StartError(`Say which stack: --stack NAME.\n\n${usage}`);
  return { stack: values.stack, overrides: values.set ?? [], json: values.json ?? false };
}
