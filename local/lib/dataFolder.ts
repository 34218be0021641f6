import { randomUUID } from "node:crypto";
import { access, constants, link, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { CommandError } from "../../cli/commandError";
import { type Lock, lockName, readJson } from "../../cli/dataFolderLock";
import { answers, freePort, isFree } from "../../cli/ports";
import { makeFolder, replaceFile } from "./files";

/** Layout of the data folder; raised when an older folder can no longer be used. */
const layout = 1;
const layoutName = "layout.json";

/**
 * The data folder of one local system (`.local/`): held by one process at a time, with the ports that it chose once and
 * the files that others read. Only its owner may read it: it holds passwords.
 */
export class DataFolder {
  readonly #spokenFor: number[] = [];

  private constructor(
    readonly path: string,
    private readonly holder: Server,
    private readonly ports: Record<string, number>,
  ) {}

  /**
   * Opens the folder, makes it where it is missing, and holds it until `close`.
   *
   * @param options `reset` empties the folder first; `stack` is whose data it holds, @default any's
   * @throws CommandError where it is held by another start, not writable, of another layout or stack, or holds other things
   */
  static async open(path: string, options: { reset?: boolean; stack?: string } = {}): Promise<DataFolder> {
    try {
      await makeFolder(path);
      await access(path, constants.W_OK);
    } catch (cause) {
      throw new CommandError(`The data folder ${path} ${whyUnusable(cause as NodeJS.ErrnoException)}`, { cause });
    }
    const known = (await readdir(path)).filter((name) => !name.startsWith(lockName));
    if (known.length > 0 && !known.includes(layoutName)) {
      throw new CommandError(
        `The folder ${path} holds other things, such as ${known[0]}. Name an empty folder with --dir.`,
      );
    }
    const holder = await hold(path);
    try {
      if (options.reset) for (const name of known) await rm(join(path, name), { recursive: true, force: true });
      await checkLayout(path, options.stack);
      return new DataFolder(path, holder, await readJson(join(path, "ports.json"), {}));
    } catch (error) {
      await release(path, holder);
      throw error;
    }
  }

  /** Has `port` choose none that this start itself needs for something else, such as the page that the stack names. */
  leaveFree(port: number): void {
    this.#spokenFor.push(port);
  }

  /**
   * The port on 127.0.0.1 for a use, chosen once and remembered, so that addresses stay over restarts; chosen anew where
   * this start needs it for something else.
   *
   * @throws CommandError where another program has taken it since
   */
  async port(use: string): Promise<number> {
    const remembered = this.ports[use];
    if (remembered !== undefined && !this.#spokenFor.includes(remembered)) {
      if (await isFree(remembered)) return remembered;
      throw new CommandError(
        `Port ${remembered}, which ${join(this.path, "ports.json")} remembers for ${use}, is taken by another program. ` +
          "End that program, or delete the file to have new ports chosen.",
      );
    }
    const chosen = await freePort([...Object.values(this.ports), ...this.#spokenFor]);
    this.ports[use] = chosen;
    this.write("ports.json", this.ports);
    return chosen;
  }

  /** Writes a JSON file that only its owner reads; readers see the old content or the new, never half of it. */
  write(name: string, content: unknown): void {
    replaceFile(join(this.path, name), `${JSON.stringify(content, null, 2)}\n`);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
  }

  /** Lets another start have the folder. */
  async close(): Promise<void> {
    await release(this.path, this.holder);
  }
}

/** Ends the sentence that begins with the folder: why it cannot be had, and what to do. */
function whyUnusable({ code }: NodeJS.ErrnoException): string {
  if (code === "EEXIST") return "is a file, not a folder. Name a folder with --dir.";
  if (code === "ENOTDIR") return "would be in a file, not in a folder. Name another one with --dir.";
  if (code === "ENOENT") return "cannot be made: its place takes no folders. Name another one with --dir.";
  return `cannot be written (${code}). Give yourself the right to write it, or name another one with --dir.`;
}

async function checkLayout(path: string, stack: string | undefined): Promise<void> {
  const file = join(path, layoutName);
  const found = (await readJson<{ layout?: number; stack?: string } | undefined>(file, undefined)) ?? { layout };
  if (found.layout !== layout) {
    throw new CommandError(
      `The data folder ${path} has layout ${found.layout}; this version uses layout ${layout}. ` +
        "Start from nothing with `npm start -- --reset`, or name another folder with --dir.",
    );
  }
  if (found.stack !== undefined && stack !== undefined && found.stack !== stack) {
    throw new CommandError(
      `The data folder ${path} holds stack ${found.stack}, and stack ${stack} is another system, with passwords of its own. ` +
        "Name another folder with --dir, or start from nothing with --reset.",
    );
  }
  await writeFile(file, `${JSON.stringify({ ...found, ...(stack && { stack }) })}\n`, { mode: 0o600 });
}

/**
 * Holds the folder by a listening socket that a lock file names. A process that ended without a word leaves the file
 * but not the socket, so the file counts only while its socket answers with the file's token.
 */
async function hold(path: string): Promise<Server> {
  const file = join(path, lockName);
  const token = randomUUID();
  const holder = createServer((socket) => socket.on("error", () => {}).end(token));
  await new Promise<void>((resolve, reject) => holder.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  const draft = `${file}.${token}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, port, token } satisfies Lock), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link is made or refused in one step, with its content already in place.
        await link(draft, file);
        return holder;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        const other = await readJson<Lock | undefined>(file, undefined);
        if (other && (await answers(other.port, other.token))) {
          throw new CommandError(
            `The local system already runs on ${path} (process ${other.pid}). ` +
              "Stop it with Ctrl-C first, or start another one on its own folder with --dir.",
          );
        }
        await rm(file, { force: true });
      }
    }
  } catch (error) {
    holder.close();
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function release(path: string, holder: Server): Promise<void> {
  if (!holder.listening) return;
  await rm(join(path, lockName), { force: true });
  await new Promise((resolve) => holder.close(resolve));
}
