import { once } from "node:events";
import { createServer } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { CommandError } from "../../cli/commandError";
import { freePort, hasNoIpv6, isFree, portRange } from "../../cli/ports";
import { ownPorts } from "../support/ownPorts";

it("the range is below the ports of outgoing connections by default, or the one that is given", () => {
  expect(portRange()).toEqual([20_000, 29_999]);
  expect(portRange("8000-8999")).toEqual([8000, 8999]);
  expect(portRange("9000-9000")).toEqual([9000, 9000]);
});

it.each(["", "8000", "8000-", "9000-8000", "80-90", "60000-70000", "a-b", "8000-9000-9999"])("refuses %j", (given) => {
  expect(() => portRange(given)).toThrow(CommandError);
  expect(() => portRange(given)).toThrow(`LOCAL_PORTS is "${given}"; it must be FIRST-LAST`);
});

describe("never returns a port", () => {
  ownPorts();
  let first: number;
  let full: string;
  beforeEach(async () => {
    first = await freePort();
    process.env.LOCAL_PORTS = `${first + 1}-${first + 2}`;
    full = `No free port on 127.0.0.1 from ${first + 1} to ${first + 2}`;
  });

  it("that is taken", async () => {
    process.env.LOCAL_PORTS = `${first + 1}-${first + 1}`;
    await expect(freePort([first + 1])).rejects.toThrow(`No free port on 127.0.0.1 from ${first + 1} to ${first + 1}`);
    process.env.LOCAL_PORTS = `${first + 1}-${first + 2}`;
    expect(await freePort([first + 1])).toBe(first + 2);
  });

  it("that a server listens on, until that server has closed", async () => {
    const other = createServer().listen(first + 1, "127.0.0.1");
    await once(other, "listening");
    expect(await isFree(first + 1)).toBe(false);
    await expect(freePort([first + 2])).rejects.toThrow(full);
    other.close();
    await once(other, "close");
    expect(await freePort([first + 2])).toBe(first + 1);
  });

  it("twice, also to calls at the same time", async () => {
    const ports = await Promise.all([freePort(), freePort()]);
    expect(ports.sort()).toEqual([first + 1, first + 2]);
    await expect(freePort()).rejects.toThrow(full);
  });
});

describe("where all ports of a range but one are taken", () => {
  ownPorts();

  it("finds the one that is left, every time", async () => {
    const [first] = portRange(process.env.LOCAL_PORTS);
    const range = Array.from({ length: 90 }, (_, index) => first + index);
    process.env.LOCAL_PORTS = `${first}-${first + 89}`;
    const found: number[] = [];
    // A port is returned once only, so each round leaves another one free.
    for (const left of range) found.push(await freePort(range.filter((port) => port !== left)));
    expect(found).toEqual(range);
  });

  it("finds the one without a listening server", async () => {
    const [first] = portRange(process.env.LOCAL_PORTS);
    process.env.LOCAL_PORTS = `${first}-${first + 89}`;
    const left = first + 40;
    const others = Array.from({ length: 90 }, (_, index) => first + index).filter((port) => port !== left);
    const servers = others.map((port) => createServer().listen(port, "127.0.0.1"));
    try {
      await Promise.all(servers.map((server) => once(server, "listening")));
      expect(await freePort()).toBe(left);
      await expect(freePort()).rejects.toThrow(`No free port on 127.0.0.1 from ${first} to ${first + 89}`);
    } finally {
      for (const server of servers) server.close();
    }
  });
});

it("isFree checks each of the two addresses of localhost by itself", async () => {
  const port = await freePort();
  expect(await isFree(port, "::1"), "also where there is no IPv6").toBe(true);
  const other = createServer().listen(port, "::1");
  const [error] = await Promise.race([once(other, "listening"), once(other, "error")]);
  try {
    expect(await isFree(port, "::1")).toBe(error !== undefined && hasNoIpv6(error));
    expect(await isFree(port)).toBe(true);
  } finally {
    other.close();
  }
});
