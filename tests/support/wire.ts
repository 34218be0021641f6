import net from "node:net";
import fc from "fast-check";
import { expect } from "vitest";
import type { TimeLimits } from "../../cli/http";

/** Short enough for a test to wait for them, long enough for every normal client of a test. */
export const shortLimits: TimeLimits = { headers: 300, request: 600, check: 50 };

/** Writes raw bytes to a server and returns its output until it closes, or sends nothing for `silence` ms. */
export function raw(url: string, bytes: string | Buffer, silence = 10_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setTimeout(silence, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

/**
 * Writes some bytes at once and then one piece every 20 ms, until the server closes the connection.
 * @returns the server's output until then; undefined if it has not closed the connection after 10 s
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
    const limit = setTimeout(() => end(undefined), 10_000);
    const end = (output: string | undefined) => {
      clearInterval(drip);
      clearTimeout(limit);
      socket.destroy();
      resolve(output);
    };
    socket.on("close", () => end(text));
  });
}

/**
 * Sends lines of requests in any order, with any bytes between them. If the server answers, the status must be one of
 * `statuses`; the caller must check that the server still runs.
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

/** Slow clients: name, the bytes that they send at once, and the piece that they then send repeatedly. */
export const slowHeaders: readonly (readonly [string, string, string])[] = [
  ["nothing at all", "", ""],
  ["half a request line", "GET /", "a"],
  ["headers without end", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", "X: y\r\n"],
];

/** Requests whose headers are far larger than every limit. */
export const hugeHeader = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Huge: ${"x".repeat(200_000)}\r\n\r\n`;
export const manyHeaders = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${"X: y\r\n".repeat(50_000)}\r\n`;
