import { containerPids, residentMB } from "../children";
import { counted } from "../counts";
import type { Platform } from "../platform";
import type { SignUps } from "../signUps";

export interface Growth {
  readonly signUps: number;
  /** Of all sign-ups together, without the container's start. */
  readonly seconds: number;
  readonly millisecondsEach: number;
  /** Statements that the server executed for each sign-up, including one that sets up each connection's session. */
  readonly statementsEach: number;
  readonly connections: number;
  /** Resident memory at the end. */
  readonly megabytes: number;
}

/** The cost of 10, 100, 1,000 and 10,000 sign-ups, each number in a new container. */
export async function measureGrowth(platform: Platform, signUps: SignUps): Promise<Growth[]> {
  const lines: Growth[] = [];
  for (const count of [10, 100, 1000, 10_000]) {
    const others = await containerPids();
    const fn = await platform.declare("bench-growth");
    let ms = Number.NaN;
    let pid: number | undefined;
    const { statements, connections } = await counted(platform, { statements: count, connections: 1 }, async () => {
      await signUps.signUp(fn.invoke);
      pid = (await containerPids()).find((candidate) => !others.includes(candidate));
      const startedAt = performance.now();
      for (let i = 1; i < count; i++) await signUps.signUp(fn.invoke);
      ms = performance.now() - startedAt;
    });
    lines.push({
      signUps: count,
      seconds: ms / 1000,
      millisecondsEach: ms / (count - 1),
      statementsEach: statements / count,
      connections,
      megabytes: await residentMB(pid!),
    });
    await fn.end();
  }
  return lines;
}
