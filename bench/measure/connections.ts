import { randomUUID } from "node:crypto";
import { counted } from "../counts";
import { type Figure, figureOf } from "../figures";
import type { Fn, Platform } from "../platform";
import { eventOf, type SignUps, timed } from "../signUps";

const containers = 50;
const signUpsInAll = 1000;
/** Containers started at the same time: each uses a core for a while, and Lambda allows ten seconds for a start. */
const startsAtOnce = 4;

/** The number of connections that 1,000 sign-ups open in 50 containers that all work at the same time. */
export async function measureConnections(platform: Platform, signUps: SignUps): Promise<Figure> {
  // Each container has its own function: one function would use the few containers that start first for all callers.
  const functions: Fn[] = [];
  for (let i = 0; i < containers; i++) functions.push(await platform.declare(`bench-container-${i}`));
  const opened = await counted(platform, { connections: containers, statements: signUpsInAll }, async () => {
    for (let i = 0; i < containers; i += startsAtOnce) {
      await Promise.all(functions.slice(i, i + startsAtOnce).map(({ invoke }) => signUps.signUp(invoke)));
    }
    await Promise.all(
      functions.map(async ({ invoke }) => {
        for (let i = 1; i < signUpsInAll / containers; i++) await signUps.signUp(invoke);
      }),
    );
  });
  const started = functions.reduce((sum, fn) => sum + fn.containersStarted, 0);
  for (const fn of functions) await fn.end();
  if (started !== containers) throw new Error(`${started} containers were started instead of ${containers}.`);
  return figureOf("connections for 1,000 sign-ups in 50 containers", opened.connections);
}

/**
 * The number of statements that a sign-in executes, by the server's own counter.
 * @throws Error where the first sign-in executed none: it succeeds also where the function cannot reach the database
 */
export async function measurePostAuthentication(platform: Platform, signUps: SignUps): Promise<Figure[]> {
  const sub = randomUUID();
  const other = await platform.declare("bench-other");
  await signUps.signUp(other.invoke, sub);
  await other.end();

  const fn = await platform.declare("bench-sign-in");
  await signUps.signUp(fn.invoke);
  const signIn = () => timed(fn.invoke, eventOf("PostAuthentication_Authentication", sub));
  const first = await counted(platform, { statements: 1 }, signIn);
  const second = await counted(platform, {}, signIn);
  await fn.end();
  const prepared = `and ${first.prepared} prepared, once a container`;
  return [
    figureOf("sign-in of a user with a row", first.statements, prepared),
    figureOf("sign-in of a user seen before in the container", second.statements, `and ${second.prepared} prepared`),
  ];
}
