import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { residentMB } from "../children";
import { atLeast, atMost, type Figure, readable } from "../figures";
import type { Platform } from "../platform";
import type { SignUps } from "../signUps";

const accounts = 100_000;
const missing = 1000;

/**
 * The command on 100,000 users of which 1,000 lack a row, and then on twice as many, to compare memory: by then V8's young
 * generation has grown to its full size, so what is more grew with the users.
 */
export async function measureReconcile(platform: Platform, signUps: SignUps, directory: string): Promise<Figure[]> {
  await addUsers(platform, signUps);
  const once = await reconcile(directory);
  await addUsers(platform, signUps);
  const twice = await reconcile(directory);
  signUps.add(2 * missing);
  const seconds = `${readable(once.seconds)} s for ${once.accounts.toLocaleString("en")} users`;
  return [
    atLeast(20_000, {
      figure: "reconcile, users a second",
      unit: "users/s",
      value: once.accounts / once.seconds,
      detail: `${seconds}, ${missing.toLocaleString("en")} rows made`,
    }),
    atMost(10, {
      figure: "reconcile, memory for 200,000 users above that for 100,000",
      unit: "MB",
      value: twice.peakMB - once.peakMB,
      detail: `peaks of ${readable(twice.peakMB)} and ${readable(once.peakMB)} MB`,
    }),
  ];
}

/** Confirmed users, `missing` of them without a row. */
async function addUsers({ cognito, outputs, administrator }: Platform, signUps: SignUps) {
  const { users } = cognito.pool(outputs.userPoolId)!;
  const rows: string[][] = [];
  const gap = accounts / missing;
  const now = Date.now();
  for (let i = 0; i < accounts; i++) {
    const sub = randomUUID();
    const email = `${sub}@example.com`;
    const attributes = { sub, email, email_verified: "true" };
    users.save({ username: sub, attributes, status: "CONFIRMED", enabled: true, created: now, modified: now });
    if (i % gap !== 0) rows.push([sub, email, "2020-02-02 02:02:02"]);
  }
  const sql = "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES ?";
  for (let i = 0; i < rows.length; i += 5000) await administrator.query(sql, [rows.slice(i, i + 5000)]);
  signUps.add(rows.length);
}

async function reconcile(directory: string) {
  const command = join(__dirname, "../../operations/reconcile.cjs");
  const child = spawn(process.execPath, [command, "--json", "--dir", directory], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let faults = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    faults += text;
  });
  let peakMB = 0;
  const watch = setInterval(async () => {
    peakMB = Math.max(peakMB, await residentMB(child.pid!).catch(() => 0));
  }, 100);
  const [code] = await once(child, "close");
  clearInterval(watch);
  if (code !== 0) throw new Error(`reconcile ended with code ${code}: ${faults}`);
  const summary = JSON.parse(output.trim().split("\n").at(-1)!) as Record<
    "accounts" | "registered" | "seconds",
    number
  >;
  if (summary.registered !== missing)
    throw new Error(`reconcile made other rows than ${missing}: ${JSON.stringify(summary)}`);
  return { ...summary, peakMB };
}
