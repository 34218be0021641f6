import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/** Bytes after which a log file is renamed to `….log.1`, which replaces the previous one. */
const maxFileSize = 5 * 1024 * 1024;
const maxRecentLines = 1_000;
/** A longer line is split, so that endless output without a line break does not need endless memory. */
const maxLineLength = 256 * 1024;

/** The path of a function's log, relative to the data folder. */
export const logFileOf = (functionName: string) => join("logs", `${functionName}.log`);

/** The log of one function: a bounded file, readable by its owner only, and the last lines in memory. */
export class FunctionLog {
  readonly #file: string;
  #descriptor: number | undefined;
  #size = 0;
  #recent: string[] = [];

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#open();
  }

  /** Adds one line. A line break in it is written as `\r`, so that an entry can never look like two. */
  add(line: string): void {
    const entry = line.replace(/\r?\n/g, "\r");
    this.#recent.push(entry);
    if (this.#recent.length > 2 * maxRecentLines) this.#recent = this.#recent.slice(-maxRecentLines);
    try {
      if (this.#descriptor === undefined) return;
      if (this.#size > maxFileSize) this.#rotate();
      this.#size += writeSync(this.#descriptor, `${entry}\n`);
    } catch {
      // A full disk must not fail the invocation; the lines in memory remain.
    }
  }

  /** Adds a stream's data line by line; call the returned function at the stream's end. */
  follow(stream: NodeJS.ReadableStream): () => void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (data: string) => {
      const lines = (rest + data).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.add(line);
      for (; rest.length > maxLineLength; rest = rest.slice(maxLineLength)) this.add(rest.slice(0, maxLineLength));
    });
    return () => {
      if (rest !== "") this.add(rest);
      rest = "";
    };
  }

  recent(): string[] {
    return this.#recent.slice(-maxRecentLines);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    this.#descriptor = openSync(this.#file, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    renameSync(this.#file, `${this.#file}.1`);
    this.#open();
  }
}
