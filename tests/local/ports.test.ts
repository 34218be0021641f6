import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { CommandError } from "../../local/host/part";
import { freePort, hasNoIpv6, isFree, portRange } from "../../local/ports";

const range = process.env.LOCAL_PORTS;
afterEach(() => {
  process.env.LOCAL_PORTS = range;
});

it("takes ports below those of outgoing connections, or from the range that is named", () => {
  expect(portRange()).toEqual([20_000, 29_999]);
  expect(portRange("8000-8999")).toEqual([8000, 8999]);
  expect(portRange("9000-9000")).toEqual([9000, 9000]);
});

it.each(["", "8000", "8000-", "9000-8000", "80-90", "60000-70000", "a-b", "8000-9000-9999"])("refuses %j", (given) => {
  expect(() => portRange(given)).toThrow(CommandError);
  expect(() => portRange(given)).toThrow(`LOCAL_PORTS is "${given}"; it must be FIRST-LAST`);
});

it("gives away neither a port that somebody listens on nor one that is spoken for", async () => {
  const first = await freePort();
  process.env.LOCAL_PORTS = `${first}-${first + 1}`;
  expect(await freePort([first])).toBe(first + 1);

  const other = createServer().listen(first, "127.0.0.1");
  await once(other, "listening");
  try {
    expect(await isFree(first)).toBe(false);
    await expect(freePort([first + 1])).rejects.toThrow(`No free port on 127.0.0.1 from ${first} to ${first + 1}`);
  } finally {
    other.close();
  }
});

it("knows of both addresses of localhost whether somebody listens there", async () => {
  const port = await freePort();
  expect(await isFree(port, "::1"), "also where there is no IPv6").toBe(true);
  const other = createServer().listen(port, "::1");
  const heard = await Promise.race([once(other, "listening"), once(other, "error")]);
  try {
    expect(await isFree(port, "::1")).toBe(heard[0] !== undefined && hasNoIpv6(heard[0]));
    expect(await isFree(port)).toBe(true);
  } finally {
    other.close();
  }
});
