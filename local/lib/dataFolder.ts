import { randomUUID } from "node:crypto";
import { access, constants, link, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { CommandError } from "../../cli/commandError";
import { type Lock, lockName, readJson } from "../../cli/dataFolderLock";
import { answers, freePort, isFree } from "../../cli/ports";
import { makeFolder, replaceFile } from "./files";

/** Version of the data folder's layout; increased when an older folder can no longer be used. */
const layout = 1;
const layoutName = "layout.json";

/**
 * The data folder of one local system (`.local/`). One process at a time holds it. It keeps the ports that were chosen
 * at the first start, and the files that other commands read. Only its owner may read it: it contains passwords.
 */
export class DataFolder {
  readonly #reserved: number[] = [];

  private constructor(
    readonly path: string,
    private readonly holder: Server,
    private readonly ports: Record<string, number>,
  ) {}

  /**
   * Opens the folder, creates it where it is missing, and holds it until `close`.
   *
   * @param options `reset` empties the folder first; `stack` is the stack whose data the folder must have, @default any
   * @throws CommandError where another start holds the folder, it is not writable, it has another layout or stack, or
   *   it contains other files
   */
  static async open(path: string, options: { reset?: boolean; stack?: string } = {}): Promise<DataFolder> {
    try {
      await makeFolder(path);
      await access(path, constants.W_OK);
    } catch (cause) {
      throw new CommandError(`The data folder ${path} ${reasonOf(cause as NodeJS.ErrnoException)}`, { cause });
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

  /** Excludes a port from those that `port` chooses: this start needs it for something else, such as the page. */
  leaveFree(port: number): void {
    this.#reserved.push(port);
  }

  /**
   * The port on 127.0.0.1 for a use. It is chosen once and remembered, so that addresses stay the same after a restart,
   * and chosen again where this start needs it for something else.
   *
   * @throws CommandError where another program uses the remembered port
   */
  async port(use: string): Promise<number> {
    const remembered = this.ports[use];
    if (remembered !== undefined && !this.#reserved.includes(remembered)) {
      if (await isFree(remembered)) return remembered;
      throw new CommandError(
        `Port ${remembered}, which ${join(this.path, "ports.json")} remembers for ${use}, is taken by another program. ` +
          "End that program, or delete the file to have new ports chosen.",
      );
    }
    const chosen = await freePort([...Object.values(this.ports), ...this.#reserved]);
    this.ports[use] = chosen;
    this.write("ports.json", this.ports);
    return chosen;
  }

  /** Writes a JSON file that only its owner may read, in one step: readers see the old content or the new one. */
  write(name: string, content: unknown): void {
    replaceFile(join(this.path, name), `${JSON.stringify(content, null, 2)}\n`);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
  }

  /** Releases the folder, so that another start can hold it. */
  async close(): Promise<void> {
    await release(this.path, this.holder);
  }
}

/** The end of the sentence that begins with the folder's name: why it cannot be used, and what to do. */
function reasonOf({ code }: NodeJS.ErrnoException): string {
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
 * Holds the folder by a listening socket and a lock file that names its port. A process that was killed leaves the
 * file, but no socket, so the file is valid only while the socket sends the file's token.
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
        // `link` succeeds or fails in one step, and the new file has its content from the start.
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
