import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { CommandError } from "./commandError";

const host = "127.0.0.1";
/** Below the range from which systems take ports for outgoing connections: a remembered port stays free. */
const usual = "20000-29999";

/**
 * The first and the last port that may be chosen.
 * @param range `FIRST-LAST`, both from 1024 to 65535, @default 20000-29999
 * @throws CommandError where the range does not have that form
 */
export function portRange(range = usual): [first: number, last: number] {
  const [first = 0, last = 0] = (/^\d+-\d+$/.exec(range)?.[0] ?? "").split("-").map(Number);
  if (first >= 1024 && last >= first && last <= 65_535) return [first, last];
  throw new CommandError(`LOCAL_PORTS is "${range}"; it must be FIRST-LAST, from 1024 to 65535, such as ${usual}.`);
}

/** The errors of listening on ::1 where the machine has no IPv6. */
const withoutIpv6 = ["EADDRNOTAVAIL", "EAFNOSUPPORT"];

/** Whether listening on ::1 failed because the machine has no IPv6. */
export const hasNoIpv6 = ({ code }: NodeJS.ErrnoException) => code !== undefined && withoutIpv6.includes(code);

/**
 * Whether a server could listen on this port of an address now.
 * @param address `::1` counts as free where the machine has no IPv6, @default 127.0.0.1
 */
export function isFree(port: number, address: "127.0.0.1" | "::1" = host): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) => resolve(address === "::1" && hasNoIpv6(error)));
    probe.listen(port, address, () => probe.close(() => resolve(true)));
  });
}

/** Ports handed out by this process, whether or not they are in use now. */
const given = new Set<number>();

/**
 * Chooses a port in the range that `LOCAL_PORTS` names: a free one that is not in `taken` and that this process has not
 * handed out before. Tries each port of the range once, from a random one upwards: processes that choose at the same
 * time seldom choose the same port.
 * @throws CommandError where the range is malformed, or has no such port
 */
export async function freePort(taken: readonly number[] = []): Promise<number> {
  const [first, last] = portRange(process.env.LOCAL_PORTS);
  const count = last - first + 1;
  const start = randomInt(count);
  for (let step = 0; step < count; step++) {
    const port = first + ((start + step) % count);
    if (taken.includes(port) || given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
    given.delete(port);
  }
  throw new CommandError(
    `No free port on ${host} from ${first} to ${last}; end programs that hold them, or name other ports by LOCAL_PORTS.`,
  );
}

/** Whether a server on this port sends exactly this text. */
export function answers(port: number, expected: string): Promise<boolean> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ host, port, timeout: 2_000 });
    const done = () => {
      socket.destroy();
      resolve(received === expected);
    };
    socket.setEncoding("utf8").on("data", (part: string) => {
      received += part;
    });
    socket.on("end", done).on("error", done).on("timeout", done);
  });
}
