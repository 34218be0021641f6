/** A hundred ports of its own for each test of a file or group: what a process has given it gives to no later test. */
import { afterEach, beforeEach } from "vitest";
import { portRange } from "../../cli/ports";

/** Of the whole file: two groups of a file get ports of their own too. */
let tests = 0;

export function ownPorts(): void {
  const range = process.env.LOCAL_PORTS;
  beforeEach(() => {
    const begin = portRange(range)[0] + 100 * tests++;
    // Two at the end are left for the neighbours of a port.
    process.env.LOCAL_PORTS = `${begin}-${begin + 97}`;
  });
  afterEach(() => {
    process.env.LOCAL_PORTS = range;
  });
}
