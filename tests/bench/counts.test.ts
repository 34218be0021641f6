import { describe, expect, it } from "vitest";
import { type Counts, counted } from "../../bench/counts";
import { measureConnections, measurePostAuthentication } from "../../bench/measure/connections";
import type { Platform } from "../../bench/platform";
import { SignUps } from "../../bench/signUps";

/** A platform whose functions have the given costs. @param counts whether the server's counters work */
function platform(cost: (event: string) => Partial<Counts>, counts = true) {
  const total = { connections: 0, statements: 0, prepared: 0 };
  const add = (more: Partial<Counts>) => {
    for (const name of Object.keys(more) as (keyof Counts)[]) total[name] += more[name]!;
  };
  const invoke = async (event: string) => {
    if (counts) add(cost(event));
    return { payload: event, failed: false };
  };
  return {
    declare: async () => ({ invoke, zippedBytes: 1, containersStarted: 1, end: async () => {} }),
    async counters() {
      add({ statements: counts ? 1 : 0 });
      return { ...total };
    },
  } as unknown as Platform;
}

const isSignIn = (event: string) => event.includes("PostAuthentication");

describe("MySQL's counts", () => {
  it("do not include the statement that reads the counters", async () => {
    const server = platform(() => ({}));
    expect(await counted(server, {}, async () => {})).toEqual({ connections: 0, statements: 0, prepared: 0 });
  });

  it("fail the benchmark where they are below the minimum", async () => {
    const server = platform(() => ({}));
    await expect(counted(server, { statements: 3 }, async () => {})).rejects.toThrow("0 statements instead of 3");
  });
});

describe("the figures of a sign-in", () => {
  it("are the numbers of its statements", async () => {
    let signIns = 0;
    const server = platform((event) => ({ statements: isSignIn(event) && signIns++ > 0 ? 0 : 1, prepared: 1 }));
    const figures = await measurePostAuthentication(server, new SignUps());
    expect(figures.map(({ value, met }) => [value, met])).toEqual([
      [1, true],
      [0, true],
    ]);
  });

  it("do not meet their targets where there are more statements", async () => {
    const figures = await measurePostAuthentication(
      platform(() => ({ statements: 2 })),
      new SignUps(),
    );
    expect(figures.map(({ value, met }) => [value, met])).toEqual([
      [2, false],
      [2, false],
    ]);
  });

  it("fail the benchmark where the function did not reach the database", async () => {
    const server = platform((event) => ({ statements: isSignIn(event) ? 0 : 1 }));
    await expect(measurePostAuthentication(server, new SignUps())).rejects.toThrow("0 statements instead of 1");
  });

  it("fail the benchmark where the server's counters do not work", async () => {
    await expect(
      measurePostAuthentication(
        platform(() => ({}), false),
        new SignUps(),
      ),
    ).rejects.toThrow("statements instead of 1");
  });
});

describe("the figure of connections", () => {
  it("is the number of opened connections", async () => {
    const server = platform(() => ({ connections: 1, statements: 1 }));
    expect(await measureConnections(server, new SignUps())).toMatchObject({ value: 1000, met: false });
  });

  it("fails the benchmark where the server counts no connections", async () => {
    const server = platform(() => ({ statements: 1 }));
    await expect(measureConnections(server, new SignUps())).rejects.toThrow("0 connections instead of 50");
  });
});
