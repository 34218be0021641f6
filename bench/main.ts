import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../cli/command";
import { DataFolder } from "../local/lib/dataFolder";
import {
  checkComplete,
  type Figure,
  figureMarkdown,
  figureTable,
  markdown,
  readable,
  replaced,
  table,
} from "./figures";
import { describeMachine, machineText } from "./machine";
import { measureColdStart } from "./measure/coldStart";
import { measureConnections, measurePostAuthentication } from "./measure/connections";
import { type Growth, measureGrowth } from "./measure/growth";
import { measureInvocations } from "./measure/invocations";
import { measureProgram } from "./measure/program";
import { measureReconcile } from "./measure/reconcile";
import { measureSystem } from "./measure/system";
import { Platform } from "./platform";
import type { Name } from "./rows";
import { SignUps } from "./signUps";

const resultsFile = join(__dirname, "results.json");
const documentFile = join(__dirname, "../docs/performance.md");

const usage = `npm run bench [-- --docs]

Measures every figure, prints them with their targets, and writes bench/results.json.

  --docs   write the tables of this run into docs/performance.md, too
  --help   show this`;

/**
 * The command `npm run bench`: measures every figure, prints them with their targets, and writes `bench/results.json`.
 * A figure that does not meet its target is marked and does not fail the command; a sign-up without its row, or a
 * figure that was not measured, does.
 */
export function main(args: string[]): Promise<void> {
  return runCommand(args, {
    usage,
    options: { docs: { type: "boolean", default: false } },
    async run({ docs }) {
      const directory = await mkdtemp(join(tmpdir(), "ecommerce-bench-"));
      try {
        await measureAll(directory, docs);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
      return 0;
    },
  });
}

async function measureAll(directory: string, document: boolean): Promise<void> {
  const startedAt = performance.now();
  const load = loadavg()[0]!;
  const folder = await DataFolder.open(join(directory, "function"));
  const figures: Figure[] = [];
  let growth: Growth[] = [];
  let machine = "";
  try {
    const platform = await step("the platform", () => Platform.start(folder, console.log));
    machine = machineText(describeMachine(platform.mysql.description, load));
    console.log(`\n${machine}\n`);
    try {
      const signUps = new SignUps();
      figures.push(...(await step("warm invocations", () => measureInvocations(platform, signUps))));
      figures.push(...(await step("cold starts", () => measureColdStart(platform, signUps, workMs(figures)))));
      figures.push(await step("connections", () => measureConnections(platform, signUps)));
      figures.push(...(await step("sign-ins", () => measurePostAuthentication(platform, signUps))));
      growth = await step("growth", () => measureGrowth(platform, signUps));
      figures.push(...(await step("reconcile", () => measureReconcile(platform, signUps, folder.path))));
      figures.push(await step("counting the rows", () => signUps.check(() => platform.countRows())));
    } finally {
      await platform.close();
    }
  } finally {
    await folder.close();
  }
  figures.push(await step("evaluating the program", measureProgram));
  figures.push(...(await step("npm start and the gateway", () => measureSystem(join(directory, "system")))));
  checkComplete(figures);

  await writeFile(resultsFile, `${JSON.stringify(figures, null, 2)}\n`);
  const short = figures.filter(({ met }) => met === false).length;
  console.log(`\n${machine}\n\n${figureTable(figures)}\n\n${table(growthHead, growthRows(growth))}\n`);
  if (document) await writeDocument(machine, figures, growth);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`${short === 0 ? "Every figure is met" : `${short} figures fall SHORT`}; ${seconds} s in all.`);
}

/** The time that the secret, a connection and an INSERT take in a process where everything is loaded (ms). */
function workMs(figures: readonly Figure[]): number {
  const value = (name: Name) => figures.find(({ figure }) => figure === name)!.value;
  return value("naive function, warm") - value("empty function, warm");
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  console.log(`  ${name.padEnd(28)}${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s`);
  return result;
}

async function writeDocument(machine: string, figures: readonly Figure[], growth: readonly Growth[]): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  // The document does not need the path of this machine's MySQL.
  const where = machine.replace(/ in [^;]*(?=;)/, "");
  let text = await readFile(documentFile, "utf8");
  text = replaced(text, "figures", `${day}, ${where}\n\n${figureMarkdown(figures)}`);
  text = replaced(text, "growth", markdown(growthHead, growthRows(growth)));
  await writeFile(documentFile, text);
}

const growthHead = ["sign-ups", "seconds", "ms each", "statements each", "connections", "MB resident"];

const growthRows = (lines: readonly Growth[]): string[][] =>
  lines.map((line) => [
    line.signUps.toLocaleString("en"),
    readable(line.seconds),
    readable(line.millisecondsEach),
    readable(line.statementsEach),
    String(line.connections),
    readable(line.megabytes),
  ]);
