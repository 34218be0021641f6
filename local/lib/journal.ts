import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { CommandError } from "../../cli/commandError";

/**
 * A map that survives restarts: each change appends one line to a file, so that a change costs the same with ten
 * entries and with a hundred thousand. Opening rewrites the file when most of its lines are out of date. Iteration
 * follows the order of first insertion, also after a restart.
 *
 * Only one process may write at a time; the lock of the data folder ensures it.
 */
export class Journal<T> {
  readonly #file: string;
  readonly #entries = new Map<string, T>();

  /**
   * @param file absolute path; created with mode 0600 where it does not exist.
   * @param keep which entries to keep at opening. @default all
   * @throws CommandError that names the file and the line that does not have this format. A last line without a line
   *   break was left by a kill in the middle of a write: it is dropped.
   */
  constructor(file: string, keep: (value: T) => boolean = () => true) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600 });
    const { lines, torn } = this.#read();
    for (const [key, value] of this.#entries) if (!keep(value)) this.#entries.delete(key);
    if (torn || lines > 2 * this.#entries.size + 100) this.#rewrite();
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  values(): IterableIterator<T> {
    return this.#entries.values();
  }

  set(key: string, value: T): void {
    appendFileSync(this.#file, line(key, value));
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    if (!this.#entries.has(key)) return;
    appendFileSync(this.#file, `${JSON.stringify([key])}\n`);
    this.#entries.delete(key);
  }

  /** Applies the file's lines. Reads it in chunks, because the file may be longer than the longest possible string. */
  #read(): { lines: number; torn: boolean } {
    const descriptor = openSync(this.#file, "r");
    const decoder = new StringDecoder("utf8");
    const chunk = Buffer.alloc(1 << 20);
    let lines = 0;
    let rest = "";
    try {
      for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
        const whole = (rest + decoder.write(chunk.subarray(0, size))).split("\n");
        rest = whole.pop()!;
        for (const text of whole) this.#apply(text, ++lines);
      }
    } finally {
      closeSync(descriptor);
    }
    return { lines, torn: rest !== "" };
  }

  #apply(text: string, number: number): void {
    let change: unknown;
    try {
      change = JSON.parse(text);
    } catch {
      change = undefined;
    }
    if (!Array.isArray(change) || typeof change[0] !== "string") {
      throw new CommandError(
        `${this.#file}, line ${number}, was not written by this program. Correct the line, or remove the file.`,
      );
    }
    if (change.length === 1) this.#entries.delete(change[0]);
    else this.#entries.set(change[0], change[1] as T);
  }

  #rewrite(): void {
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, "", { mode: 0o600 });
    let block = "";
    for (const [key, value] of this.#entries) {
      block += line(key, value);
      if (block.length > 1 << 20) {
        appendFileSync(fresh, block);
        block = "";
      }
    }
    appendFileSync(fresh, block);
    renameSync(fresh, this.#file);
  }
}

function line(key: string, value: unknown): string {
  return `${JSON.stringify([key, value])}\n`;
}
