import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { StartError } from "./host/part";

const host = "127.0.0.1";
/** Below the range from which systems take ports for outgoing connections: a remembered port stays free. */
const [lowest, highest] = [20_000, 30_000];

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** A port that is free and not among those given away. @throws StartError where a hundred tries find none */
export async function freePort(taken: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(lowest, highest);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new StartError(`No free port on ${host} between ${lowest} and ${highest}; end programs that hold them.`);
}

/** Whether a server on this port sends exactly this text. */
export function answers(port: number, expected: string): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ host, port, timeout: 2_000 });
    const done = () => {
      socket.destroy();
      resolve(heard === expected);
    };
    socket.setEncoding("utf8").on("data", (part: string) => {
      heard += part;
    });
    socket.on("end", done).on("error", done).on("timeout", done);
  });
}
