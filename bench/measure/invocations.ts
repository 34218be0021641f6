import { BareInsert, containerPids, residentMB } from "../children";
import { atLeast, atMost, type Figure, only, readable } from "../figures";
import type { Fn, Platform } from "../platform";
import { eventOf, type SignUps } from "../signUps";
import { type Summary, summarize } from "../statistics";

const rounds = 10;
const each = 1000;
const naiveEach = 100;

/**
 * Warm invocations, the floor, the floor's INSERT alone in a function, and the naive way, one after the other in each round, so that what disturbs the machine
 * disturbs all of them; then the memory that 10,000 invocations left.
 */
export async function measureInvocations(platform: Platform, signUps: SignUps): Promise<Figure[]> {
  const bare = await BareInsert.start(platform);
  const [warm, warmPid] = await started(await platform.declare("bench-warm"), (fn) => signUps.signUp(fn.invoke));
  const [empty, emptyPid] = await started(await platform.declareSmall("empty"), callEmpty);
  const [insert] = await started(await platform.declareSmall("insert"), (fn) => signUps.signUp(fn.invoke));
  const [naive] = await started(await platform.declareSmall("naive"), (fn) => signUps.signUp(fn.invoke));
  const times = {
    bare: [] as number[],
    empty: [] as number[],
    insert: [] as number[],
    warm: [] as number[],
    naive: [] as number[],
  };
  const memory: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const now = {
      bare: await bare.insert(each),
      empty: await repeated(each, () => callEmpty(empty)),
      insert: await repeated(each, () => signUps.signUp(insert.invoke)),
      warm: await repeated(each, () => signUps.signUp(warm.invoke)),
      naive: await repeated(naiveEach, () => signUps.signUp(naive.invoke)),
    };
    signUps.add(each);
    for (const key of ["bare", "empty", "insert", "warm", "naive"] as const) times[key].push(...now[key]);
    ratios.push(summarize(now.warm).median / (summarize(now.bare).median + summarize(now.empty).median));
    memory.push(await residentMB(warmPid));
  }
  const emptyMemory = await residentMB(emptyPid);
  bare.end();
  for (const fn of [warm, insert, empty, naive]) await fn.end();

  const bareMs = summarize(times.bare);
  const emptyMs = summarize(times.empty);
  const insertMs = summarize(times.insert);
  const warmMs = summarize(times.warm);
  const naiveMs = summarize(times.naive);
  const after = memory.at(-1)!;
  const middle = memory[rounds / 2 - 1]!;
  const spread = `rounds ${readable(Math.min(...ratios))} to ${readable(Math.max(...ratios))}`;
  return [
    only({
      figure: "bare INSERT, prepared, open connection",
      unit: "ms",
      value: bareMs.median,
      detail: spreadOf(bareMs),
    }),
    only({ figure: "empty function, warm", unit: "ms", value: emptyMs.median, detail: spreadOf(emptyMs) }),
    only({
      figure: "the same INSERT alone in a function, warm",
      unit: "ms",
      value: insertMs.median,
      detail: spreadOf(insertMs),
    }),
    only({ figure: "sign-up, warm", unit: "ms", value: warmMs.median, detail: spreadOf(warmMs) }),
    only({ figure: "naive function, warm", unit: "ms", value: naiveMs.median, detail: spreadOf(naiveMs) }),
    atMost(1.15, {
      figure: "warm sign-up over the floor (bare INSERT + empty function)",
      unit: "x",
      value: warmMs.median / (bareMs.median + emptyMs.median),
      detail: spread,
    }),
    only({
      figure: "warm sign-up over the same INSERT alone in a function",
      unit: "x",
      value: warmMs.median / insertMs.median,
    }),
    atLeast(5, { figure: "naive over warm sign-up", unit: "x", value: naiveMs.median / warmMs.median }),
    atMost(4, {
      figure: "p99 over median, warm, 10,000 sign-ups",
      unit: "x",
      value: warmMs.p99 / warmMs.median,
      detail: tails({
        "after the first 1,000": summarize(times.warm.slice(each)),
        "bare INSERT": bareMs,
        "alone in a function": insertMs,
      }),
    }),
    atMost(30, {
      figure: "memory after 10,000 sign-ups, above the empty function",
      unit: "MB",
      value: after - emptyMemory,
      detail: `${readable(after)} MB and ${readable(emptyMemory)} MB resident`,
    }),
    atMost(2, {
      figure: "memory, growth from sign-up 5,000 to 10,000",
      unit: "MB",
      value: after - middle,
      detail: memory.map(readable).join(", "),
    }),
    atMost(400, { figure: "archive, zipped", unit: "kB", value: warm.zippedBytes / 1000 }),
  ];
}

const callEmpty = async ({ invoke }: Fn): Promise<number> => {
  const begun = performance.now();
  const outcome = await invoke(eventOf("PostConfirmation_ConfirmSignUp", "nobody"));
  if (outcome.failed) throw new Error(`The empty function failed: ${outcome.payload}`);
  return performance.now() - begun;
};

/** Warms a function up, and finds out in which process it runs. */
async function started(fn: Fn, call: (fn: Fn) => Promise<number>): Promise<[Fn, number]> {
  const before = await containerPids();
  await repeated(20, () => call(fn));
  const pid = (await containerPids()).find((candidate) => !before.includes(candidate));
  if (pid === undefined) throw new Error("The function's process was not found among those that ps lists.");
  await repeated(100, () => call(fn));
  return [fn, pid];
}

async function repeated(count: number, call: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await call());
  return times;
}

/** p99 over median of other series, to compare with. */
const tails = (others: Readonly<Record<string, Summary>>) =>
  Object.entries(others)
    .map(([name, { p99, median }]) => `${name} ${readable(p99 / median)}`)
    .join(", ");

const spreadOf = ({ lower, upper, p99, count }: Summary) =>
  `quartiles ${readable(lower)} to ${readable(upper)}, p99 ${readable(p99)}, ${count.toLocaleString("en")} calls`;
