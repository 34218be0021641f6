import net from "node:net";
import fc from "fast-check";
import { expect } from "vitest";
import type { TimeLimits } from "../../cli/http";

/** Short enough to wait for, long enough for every honest client of a test. */
export const shortLimits: TimeLimits = { headers: 300, request: 600, check: 50 };

/** Writes raw bytes to a server and returns what comes back until it closes, or says nothing for so many ms. */
export function raw(url: string, bytes: string | Buffer, patience = 10_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

/**
 * Writes some bytes at once and then one piece every 20 ms, as long as the server lets it.
 * @returns what came back until the server closed the connection; undefined where it has not after 10 s
 */
export function trickle(url: string, start: string, piece: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(start));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    const drip = setInterval(() => socket.write(piece), 20);
    const patience = setTimeout(() => end(undefined), 10_000);
    const end = (heard: string | undefined) => {
      clearInterval(drip);
      clearTimeout(patience);
      socket.destroy();
      resolve(heard);
    };
    socket.on("close", () => end(text));
  });
}

/**
 * Sends lines of requests in any order, with any bytes between them. Where the server answers at all, it is with one of
 * these statuses; that it lives on is for the caller to ask.
 */
export async function sendAnyBytes(url: string, lines: readonly string[], statuses: readonly number[]): Promise<void> {
  const line = fc.constantFrom(...lines, "Content-Length: 5\r\n", "\r\n");
  const junk = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
  const pieces = fc.array(fc.oneof({ weight: 3, arbitrary: line }, junk), { maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(pieces, async (sent) => {
      const answer = await raw(url, Buffer.from(sent.join(""), "latin1"), 20);
      if (answer !== "") expect(statuses, answer).toContain(Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]));
    }),
    { numRuns: 150 },
  );
}

/** What slow clients of any server send: everything at once that comes first, then a piece again and again. */
export const slowHeaders: readonly (readonly [string, string, string])[] = [
  ["nothing at all", "", ""],
  ["half a request line", "GET /", "a"],
  ["headers without end", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", "X: y\r\n"],
];

/** A request whose headers alone are far beyond every limit. */
export const hugeHeader = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Huge: ${"x".repeat(200_000)}\r\n\r\n`;
export const manyHeaders = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${"X: y\r\n".repeat(50_000)}\r\n`;
