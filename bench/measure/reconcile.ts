import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { peakMB } from "../children";
import { type Figure, figureOf } from "../figures";
import type { Platform } from "../platform";
import type { SignUps } from "../signUps";
import { range, summarize } from "../statistics";

const accounts = 100_000;
const missing = 1000;
const runs = 3;

/**
 * Runs the command on 100,000 users, 1,000 of them without a row, and then on twice as many, to compare memory. V8's
 * young generation has its full size in both runs, so any difference depends on the number of users.
 */
export async function measureReconcile(platform: Platform, signUps: SignUps, directory: string): Promise<Figure[]> {
  const single = await repeatedly(platform, await addUsers(platform, signUps), directory, accounts);
  const double = await repeatedly(platform, await addUsers(platform, signUps), directory, 2 * accounts);
  signUps.add(2 * missing);
  return [
    figureOf(
      "reconcile, users a second",
      single.speed.median,
      `${range(single.speeds)} in ${runs} runs, for 200,000 users ${range(double.speeds)}; ${missing.toLocaleString("en")} rows made in each`,
    ),
    figureOf(
      "reconcile, memory for 200,000 users above that for 100,000",
      double.peak.median - single.peak.median,
      `peaks of ${range(double.peaks)} and ${range(single.peaks)} MB`,
    ),
  ];
}

/** Runs the command several times, and deletes the rows that it created before each run. */
async function repeatedly(platform: Platform, subs: readonly string[], directory: string, users: number) {
  const speeds: number[] = [];
  const peaks: number[] = [];
  for (let run = 0; run < runs; run++) {
    await platform.administrator.query("DELETE FROM ecommerce_db.users WHERE User_UUID IN (?)", [subs]);
    const { seconds, peak } = await reconcile(directory, users);
    speeds.push(users / seconds);
    peaks.push(peak);
  }
  return { speeds, peaks, speed: summarize(speeds), peak: summarize(peaks) };
}

/** Adds confirmed users, `missing` of them without a row. @returns the `sub` of each user without a row */
async function addUsers({ cognito, outputs, administrator }: Platform, signUps: SignUps) {
  const { users } = cognito.pool(outputs.userPoolId)!;
  const rows: string[][] = [];
  const without: string[] = [];
  const gap = accounts / missing;
  const now = Date.now();
  for (let i = 0; i < accounts; i++) {
    const sub = randomUUID();
    const email = `${sub}@example.com`;
    const attributes = { sub, email, email_verified: "true" };
    users.save({ username: sub, attributes, status: "CONFIRMED", enabled: true, created: now, modified: now });
    if (i % gap === 0) without.push(sub);
    else rows.push([sub, email, "2020-02-02 02:02:02"]);
  }
  const sql = "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES ?";
  for (let i = 0; i < rows.length; i += 5000) await administrator.query(sql, [rows.slice(i, i + 5000)]);
  signUps.add(rows.length);
  return without;
}

async function reconcile(directory: string, users: number): Promise<{ seconds: number; peak: number }> {
  const command = join(__dirname, "../../operations/reconcile.cjs");
  const child = spawn(process.execPath, [command, "--json", "--dir", directory], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  let peak = Number.NaN;
  const updatePeak = async () => {
    // The process may have ended; the last value then stays.
    const current = await peakMB(child.pid!).catch(() => Number.NaN);
    if (current > 0) peak = Math.max(current, peak || 0);
  };
  child.stdout.on("data", (text) => {
    output += text;
    updatePeak();
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const watch = setInterval(updatePeak, 200);
  const [code] = await once(child, "close");
  clearInterval(watch);
  if (code !== 0) throw new Error(`reconcile ended with code ${code}: ${errors}`);
  const summary = JSON.parse(output.trim().split("\n").at(-1)!) as Record<
    "accounts" | "registered" | "seconds",
    number
  >;
  if (summary.accounts !== users || summary.registered !== missing) {
    throw new Error(`reconcile should create ${missing} rows for ${users} accounts: ${JSON.stringify(summary)}`);
  }
  return { seconds: summary.seconds, peak };
}
