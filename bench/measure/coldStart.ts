import { type Figure, figureOf, readable } from "../figures";
import type { Fn, Platform } from "../platform";
import { allOf, interleaved } from "../rounds";
import { eventOf, type SignUps, timed } from "../signUps";
import { spread, summarize } from "../statistics";

const rounds = 21;

/**
 * The time from the start of a container's process to its first response, for the registering function, an empty one,
 * and the registering one without a secret to read, which loads the same code and does not connect.
 *
 * @param workMs the time that reading the secret, connecting and one INSERT take in a process where everything is
 *   loaded: the naive function's call minus the empty one's. It includes the network, and creating the client, signing,
 *   TLS and closing with code that V8 has already compiled.
 */
export async function measureColdStart(platform: Platform, signUps: SignUps, workMs: number): Promise<Figure[]> {
  const times = await interleaved(rounds, {
    empty: async () => cold(await platform.declareSmall("empty"), (fn) => signIn(fn, "empty")),
    alone: async () => cold(await platform.declareAlone("bench-alone"), (fn) => signIn(fn, "alone")),
    full: async () => cold(await platform.declare("bench-cold"), (fn) => signUps.signUp(fn.invoke)),
  });
  const empty = summarize(allOf(times, "empty"));
  const alone = summarize(allOf(times, "alone"));
  const full = summarize(allOf(times, "full"));
  return [
    figureOf(
      "cold start above an empty function",
      full.median - empty.median,
      `${spread(full, "ms")} against ${spread(empty, "ms")}, ${rounds} starts each`,
    ),
    figureOf(
      "of it the secret and the connection, beyond the same work done warm",
      full.median - alone.median - workMs,
      `${spread(alone, "ms")} without them; warm, client, signing, TLS and closing included, ${readable(workMs)} ms`,
    ),
  ];
}

async function cold(fn: Fn, call: (fn: Fn) => Promise<number>): Promise<number[]> {
  const took = await call(fn);
  await fn.end();
  return [took];
}

/** A call that needs no database: a sign-in succeeds also where the function cannot reach the database. */
const signIn = ({ invoke }: Fn, sub: string) => timed(invoke, eventOf("PostAuthentication_Authentication", sub));
