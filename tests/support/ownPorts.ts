/** Gives each test of a file or group its own hundred ports, so that it uses no port of an earlier test. */
import { afterEach, beforeEach } from "vitest";
import { portRange } from "../../cli/ports";

/** Tests of the whole file so far: two groups of a file also get different ports. */
let tests = 0;

export function ownPorts(): void {
  const range = process.env.LOCAL_PORTS;
  beforeEach(() => {
    const begin = portRange(range)[0] + 100 * tests++;
    // The last two stay free for tests that use the ports after a given one.
    process.env.LOCAL_PORTS = `${begin}-${begin + 97}`;
  });
  afterEach(() => {
    process.env.LOCAL_PORTS = range;
  });
}
