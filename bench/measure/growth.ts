import { containerPids, residentMB } from "../children";
import type { Platform } from "../platform";
import type { SignUps } from "../signUps";

export interface Growth {
  readonly signUps: number;
  /** All together, the container's start left out. */
  readonly seconds: number;
  readonly millisecondsEach: number;
  /** That the server was given, for one sign-up. */
  readonly statementsEach: number;
  readonly connections: number;
  /** Resident at the end. */
  readonly megabytes: number;
}

/** What 10, 100, 1,000 and 10,000 sign-ups cost, each number in a container of its own. */
export async function measureGrowth(platform: Platform, signUps: SignUps): Promise<Growth[]> {
  const lines: Growth[] = [];
  for (const count of [10, 100, 1000, 10_000]) {
    const others = await containerPids();
    const fn = await platform.declare("bench-growth");
    const before = await Promise.all([platform.counter("Connections"), platform.counter("Com_stmt_execute")]);
    await signUps.signUp(fn.invoke);
    const pid = (await containerPids()).find((candidate) => !others.includes(candidate))!;
    const begun = performance.now();
    for (let i = 1; i < count; i++) await signUps.signUp(fn.invoke);
    const ms = performance.now() - begun;
    const after = await Promise.all([platform.counter("Connections"), platform.counter("Com_stmt_execute")]);
    lines.push({
      signUps: count,
      seconds: ms / 1000,
      millisecondsEach: ms / (count - 1),
      statementsEach: (after[1] - before[1]) / count,
      connections: after[0] - before[0],
      megabytes: await residentMB(pid),
    });
    await fn.end();
  }
  return lines;
}
