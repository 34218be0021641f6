import { runCommand, UsageError } from "../../cli/command";
import { CommandError } from "../../cli/commandError";
import { projectRoot } from "../../cli/folders";
import { stackConfig } from "../../host/stackConfig";
import { fixedPrices } from "./fixedCosts";
import { priceRegion } from "./prices";
import { type Cost, jsonReport, textReport } from "./report";
import { evaluateStack } from "./stack";
import { thousandSignUps, thousandUploads } from "./variableCosts";

const usage = `npm run cost -- --stack NAME [--set KEY=VALUE]... [--json]

What a stack costs: each month without any use, for 1,000 sign-ups, and for 1,000 uploads. Evaluates the program
on this machine with the configuration in Pulumi.NAME.yaml; sends no requests to AWS and needs no credentials.

  --stack NAME      the stack
  --set KEY=VALUE   as if the stack's configuration had this value, such as --set database.multiAz=false; may be repeated
  --json            for machines: one JSON object
  --help            show this

The prices are in operations/cost/prices.ts, each with its page and date, for ${priceRegion} only.`;

/** The command `npm run cost`. Exit code: 0, or 1 with the reason on standard error. */
export function main(args: string[]): Promise<void> {
  return runCommand(args, {
    usage,
    options: {
      stack: { type: "string" },
      set: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
    async run({ stack, set, json }) {
      if (!stack) throw new UsageError("Say which stack: --stack NAME.");
      const cost = await costOf(stack, set);
      console.log(json ? jsonReport(cost) : textReport(cost));
      return 0;
    },
  });
}

async function costOf(stack: string, overrides: readonly string[]): Promise<Cost> {
  const values = stackConfig(projectRoot, stack, overrides);
  const region = values["aws:region"] ?? priceRegion;
  if (region !== priceRegion) {
    throw new CommandError(
      `Stack ${stack} is in ${region}, which is not in the price table: operations/cost/prices.ts has ` +
        `${priceRegion} only. Look up that region's prices, and add them there.`,
    );
  }
  const resources = await evaluateStack(stack, values);
  return {
    stack,
    region,
    fixed: fixedPrices(resources),
    signUps: thousandSignUps(resources),
    uploads: thousandUploads(resources),
  };
}
