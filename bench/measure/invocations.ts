import { BareInsert, containerPids, residentMB } from "../children";
import { type Figure, figureOf, readable } from "../figures";
import type { Fn, Platform } from "../platform";
import { allOf, interleaved, repeated } from "../rounds";
import type { Name } from "../rows";
import { eventOf, type SignUps, timed } from "../signUps";
import { range, type Summary, summarize } from "../statistics";

const rounds = 10;
const each = 1000;
const naiveEach = 100;
/** Calls of every series that are not measured: the first ones start the process, whose id is then read. */
const warmUp = { first: 20, second: 100 };
/** A warm call of the documents' original function (ms), measured once on loopback, when the target was set. */
const originalMs = 3.9;

/**
 * Five series:
 * - `bare`: the INSERT alone, on an open connection
 * - `empty`: a function that does nothing; the sum of `bare` and `empty` is the least time that a sign-up can take
 * - `insert`: a function that only does the INSERT
 * - `warm`: sign-ups by the registering function
 * - `naive`: a function that reads the secret and connects at each call
 *
 * Also the memory after 10,000 sign-ups.
 */
export async function measureInvocations(platform: Platform, signUps: SignUps): Promise<Figure[]> {
  const signUp = ({ invoke }: Fn) => signUps.signUp(invoke);
  const bare = await BareInsert.start(platform);
  const insertBare = async (count: number) => {
    const times = await bare.insert(count);
    signUps.add(count);
    return times;
  };
  await insertBare(warmUp.first + warmUp.second);
  const [warm, warmPid] = await warmedUp(await platform.declare("bench-warm"), signUp);
  const [empty, emptyPid] = await warmedUp(await platform.declareSmall("empty"), callEmpty);
  const [insert] = await warmedUp(await platform.declareSmall("insert"), signUp);
  const [naive] = await warmedUp(await platform.declareSmall("naive"), signUp);
  const memory: number[] = [];
  const emptyMemory: number[] = [];
  const times = await interleaved(
    rounds,
    {
      bare: () => insertBare(each),
      empty: () => repeated(each, () => callEmpty(empty)),
      insert: () => repeated(each, () => signUp(insert)),
      warm: () => repeated(each, () => signUp(warm)),
      naive: () => repeated(naiveEach, () => signUp(naive)),
    },
    async () => {
      memory.push(await residentMB(warmPid));
      emptyMemory.push(await residentMB(emptyPid));
    },
  );
  bare.end();
  for (const fn of [warm, insert, empty, naive]) await fn.end();

  const bareMs = summarize(allOf(times, "bare"));
  const emptyMs = summarize(allOf(times, "empty"));
  const insertMs = summarize(allOf(times, "insert"));
  const warmMs = summarize(allOf(times, "warm"));
  const naiveMs = summarize(allOf(times, "naive"));
  type Medians = Record<keyof (typeof times)[number], number>;
  /** The range of a ratio over the rounds, each calculated from the round's own medians. */
  const roundsOf = (ratio: (medians: Medians) => number) => {
    const medians = times.map((round) =>
      Object.fromEntries(Object.entries(round).map(([name, values]) => [name, summarize(values).median])),
    );
    return `rounds ${range(medians.map((round) => ratio(round as Medians)))}`;
  };
  const after = memory.at(-1)!;
  const middle = memory[rounds / 2 - 1]!;
  return [
    medianOf("bare INSERT, prepared, open connection", bareMs),
    medianOf("empty function, warm", emptyMs),
    medianOf("the same INSERT alone in a function, warm", insertMs),
    medianOf("sign-up, warm", warmMs),
    medianOf("naive function, warm", naiveMs),
    figureOf(
      "warm sign-up over the floor (bare INSERT + empty function)",
      warmMs.median / (bareMs.median + emptyMs.median),
      roundsOf((median) => median.warm / (median.bare + median.empty)),
    ),
    figureOf(
      "warm sign-up over the same INSERT alone in a function",
      warmMs.median / insertMs.median,
      roundsOf((median) => median.warm / median.insert),
    ),
    figureOf(
      "naive over warm sign-up",
      naiveMs.median / warmMs.median,
      `${roundsOf((median) => median.naive / median.warm)}; the naive one has the JavaScript SDK and TLS: the documents' ` +
        `original, measured once without TLS at ${originalMs} ms, is ${readable(originalMs / warmMs.median)} x`,
    ),
    figureOf(
      "p99 over median, warm, 10,000 sign-ups",
      warmMs.p99 / warmMs.median,
      tails({
        "after the first 1,000": summarize(allOf(times, "warm").slice(each)),
        "bare INSERT": bareMs,
        "alone in a function": insertMs,
      }),
    ),
    figureOf(
      "memory after 10,000 sign-ups, above the empty function",
      after - emptyMemory.at(-1)!,
      `${readable(after)} MB and ${readable(emptyMemory.at(-1)!)} MB resident, rounds ${range(memory)} and ${range(emptyMemory)}`,
    ),
    figureOf("memory, growth from sign-up 5,000 to 10,000", after - middle, memory.map(readable).join(", ")),
    figureOf("archive, zipped", warm.zippedBytes / 1000),
  ];
}

const callEmpty = ({ invoke }: Fn) => timed(invoke, eventOf("PostConfirmation_ConfirmSignUp", "nobody"));

/** Warms a function up. @returns the function and its process id */
async function warmedUp(fn: Fn, call: (fn: Fn) => Promise<number>): Promise<[Fn, number]> {
  const before = await containerPids();
  await repeated(warmUp.first, () => call(fn));
  const pid = (await containerPids()).find((candidate) => !before.includes(candidate));
  if (pid === undefined) throw new Error("The function's process was not found among those that ps lists.");
  await repeated(warmUp.second, () => call(fn));
  return [fn, pid];
}

/** p99 over median of other series, for comparison. */
const tails = (others: Readonly<Record<string, Summary>>) =>
  Object.entries(others)
    .map(([name, { p99, median }]) => `${name} ${readable(p99 / median)}`)
    .join(", ");

/** A figure that only explains others: the median of a series, with its spread. */
const medianOf = (name: Name, { median, lower, upper, p99, count }: Summary): Figure =>
  figureOf(
    name,
    median,
    `quartiles ${readable(lower)} to ${readable(upper)}, p99 ${readable(p99)}, ${count.toLocaleString("en")} calls`,
  );
