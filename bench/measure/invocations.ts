import { BareInsert, containerPids, residentMB } from "../children";
import { atLeast, atMost, type Figure, only, readable } from "../figures";
import type { Fn, Platform } from "../platform";
import { eventOf, type SignUps } from "../signUps";
import { type Summary, summarize } from "../statistics";

const rounds = 10;
const each = 1000;
const naiveEach = 100;

/**
 * Five series, one after the other in each round, so that what disturbs the machine disturbs all of them:
 * - `bare`: the INSERT alone, on an open connection
 * - `empty`: a function that does nothing; with `bare` it is the floor of what a sign-up can take
 * - `insert`: a function that only does the INSERT
 * - `warm`: sign-ups by the registering function
 * - `naive`: a function that reads the secret and connects at each call
 *
 * And the memory that 10,000 sign-ups left.
 */
export async function measureInvocations(platform: Platform, signUps: SignUps): Promise<Figure[]> {
  const bare = await BareInsert.start(platform);
  const [warm, warmPid] = await started(await platform.declare("bench-warm"), (fn) => signUps.signUp(fn.invoke));
  const [empty, emptyPid] = await started(await platform.declareSmall("empty"), callEmpty);
  const [insert] = await started(await platform.declareSmall("insert"), (fn) => signUps.signUp(fn.invoke));
  const [naive] = await started(await platform.declareSmall("naive"), (fn) => signUps.signUp(fn.invoke));
  const series = {
    bare: () => bare.insert(each),
    empty: () => repeated(each, () => callEmpty(empty)),
    insert: () => repeated(each, () => signUps.signUp(insert.invoke)),
    warm: () => repeated(each, () => signUps.signUp(warm.invoke)),
    naive: () => repeated(naiveEach, () => signUps.signUp(naive.invoke)),
  };
  type Series = keyof typeof series;
  const times: Record<Series, number[]>[] = [];
  const memory: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const now: Partial<Record<Series, number[]>> = {};
    for (const name of Object.keys(series) as Series[]) now[name] = await series[name]();
    times.push(now as Record<Series, number[]>);
    signUps.add(each);
    memory.push(await residentMB(warmPid));
  }
  const emptyMemory = await residentMB(emptyPid);
  bare.end();
  for (const fn of [warm, insert, empty, naive]) await fn.end();

  const all = (name: Series) => times.flatMap((round) => round[name]);
  const bareMs = summarize(all("bare"));
  const emptyMs = summarize(all("empty"));
  const insertMs = summarize(all("insert"));
  const warmMs = summarize(all("warm"));
  const naiveMs = summarize(all("naive"));
  const ratios = times.map(
    (round) => summarize(round.warm).median / (summarize(round.bare).median + summarize(round.empty).median),
  );
  const after = memory.at(-1)!;
  const middle = memory[rounds / 2 - 1]!;
  return [
    medianOf("bare INSERT, prepared, open connection", bareMs),
    medianOf("empty function, warm", emptyMs),
    medianOf("the same INSERT alone in a function, warm", insertMs),
    medianOf("sign-up, warm", warmMs),
    medianOf("naive function, warm", naiveMs),
    atMost(1.15, {
      figure: "warm sign-up over the floor (bare INSERT + empty function)",
      unit: "x",
      value: warmMs.median / (bareMs.median + emptyMs.median),
      detail: `rounds ${readable(Math.min(...ratios))} to ${readable(Math.max(...ratios))}`,
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
        "after the first 1,000": summarize(all("warm").slice(each)),
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

/** A figure that only explains others: the middle of a series, with its spread. */
const medianOf = (figure: string, { median, lower, upper, p99, count }: Summary): Figure =>
  only({
    figure,
    unit: "ms",
    value: median,
    detail:
      `quartiles ${readable(lower)} to ${readable(upper)}, p99 ${readable(p99)}, ` +
      `${count.toLocaleString("en")} calls`,
  });
