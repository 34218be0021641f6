import { atMost, type Figure, readable } from "../figures";
import type { Fn, Platform } from "../platform";
import { eventOf, type SignUps } from "../signUps";
import { type Summary, summarize } from "../statistics";

const rounds = 21;

/**
 * From the start of a container's process to its first answer: the registering function, an empty one, and the
 * registering one without a secret to read, which loads the same and connects to nothing.
 *
 * @param networkMs what reading the secret, connecting and one INSERT take in a process where everything is loaded: the
 *   naive function's call less the empty one's
 */
export async function measureColdStart(platform: Platform, signUps: SignUps, networkMs: number): Promise<Figure[]> {
  const times = { empty: [] as number[], alone: [] as number[], full: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.empty.push(await cold(await platform.declareSmall("empty"), (fn) => answered(fn, "empty")));
    times.alone.push(await cold(await platform.declareAlone("bench-alone"), (fn) => answered(fn, "alone")));
    times.full.push(await cold(await platform.declare("bench-cold"), (fn) => signUps.signUp(fn.invoke)));
  }
  const [empty, alone, full] = [times.empty, times.alone, times.full].map(summarize) as [Summary, Summary, Summary];
  return [
    atMost(45, {
      figure: "cold start above an empty function",
      unit: "ms",
      value: full.median - empty.median,
      detail: `${spread(full)} against ${spread(empty)}, ${rounds} starts each`,
    }),
    atMost(10, {
      figure: "of it the secret and the connection, beyond the network",
      unit: "ms",
      value: full.median - alone.median - networkMs,
      detail: `${spread(alone)} without them; the network needs ${readable(networkMs)}`,
    }),
  ];
}

async function cold(fn: Fn, call: (fn: Fn) => Promise<number>): Promise<number> {
  const took = await call(fn);
  await fn.end();
  return took;
}

/** A call that needs no database: a person who signs in passes also where the function cannot reach it. */
async function answered({ invoke }: Fn, sub: string): Promise<number> {
  const begun = performance.now();
  const { failed, payload } = await invoke(eventOf("PostAuthentication_Authentication", sub));
  if (failed) throw new Error(`A cold start failed: ${payload}`);
  return performance.now() - begun;
}

const spread = ({ median, lower, upper }: Summary) =>
  `${readable(median)} ms (${readable(lower)} to ${readable(upper)})`;
