/**
 * What exists, whatever Pulumi's state says: one file for each resource, in the folder that `STANDIN_CLOUD` names. Tests
 * read it too. A file `fail` beside it names a resource that fails once, a file `zones` the letters of the zones that are listed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Properties, Subject } from "./provider";

export interface Thing extends Subject {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

export class Cloud {
  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  things(): Thing[] {
    return readdirSync(this.folder).map((file) => JSON.parse(readFileSync(path.join(this.folder, file), "utf8")));
  }

  find(type: string, id: string): Thing | undefined {
    const file = this.#file(type, id);
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  }

  put(thing: Thing): void {
    writeFileSync(this.#file(thing.type, thing.id), JSON.stringify(thing));
  }

  remove(type: string, id: string): void {
    rmSync(this.#file(type, id), { force: true });
  }

  /** Lets the next creation or change of this resource fail. */
  failOnce(name: string): void {
    writeFileSync(this.#failing, name);
  }

  /** @throws Error where this resource shall fail; not again the next time */
  mayFail({ name, type }: Subject): void {
    if (!existsSync(this.#failing) || readFileSync(this.#failing, "utf8") !== name) return;
    rmSync(this.#failing);
    throw new Error(`ServiceUnavailable: ${type} ${name} cannot be made just now`);
  }

  /** Changes what exists without Pulumi, as somebody does in the console. */
  edit(name: string, outputs: Properties): void {
    const thing = this.things().find(
      (one) => one.name === name && Object.keys(outputs).every((key) => key in one.outputs),
    );
    if (thing === undefined) throw new Error(`Nothing is called ${name} and has ${Object.keys(outputs).join(", ")}`);
    this.put({ ...thing, outputs: { ...thing.outputs, ...outputs } });
  }

  /** Lets the engine be killed as soon as this resource exists, before it knows of it. */
  killEngineAfter(name: string): void {
    writeFileSync(this.#killing, name);
  }

  mayKillEngine({ name }: Subject): void {
    if (!existsSync(this.#killing) || readFileSync(this.#killing, "utf8") !== name) return;
    rmSync(this.#killing);
    // A plugin is a child of the engine's process.
    process.kill(process.ppid, "SIGKILL");
    process.exit(1);
  }

  /** Letters of the region's availability zones, as AWS lists them just now. */
  get zones(): readonly string[] {
    return [...(existsSync(this.#listed) ? readFileSync(this.#listed, "utf8") : "abc")];
  }

  /** Has AWS list other zones from now on. */
  listZones(letters: string): void {
    writeFileSync(this.#listed, letters);
  }

  get #listed() {
    return `${this.folder}.zones`;
  }

  get #killing() {
    return `${this.folder}.kill`;
  }

  get #failing() {
    return `${this.folder}.fail`;
  }

  #file(type: string, id: string) {
    return path.join(this.folder, `${encodeURIComponent(`${type} ${id}`)}.json`);
  }
}

/** The folder that the tests gave. */
export function cloudOfTests(): Cloud {
  const folder = process.env.STANDIN_CLOUD;
  if (!folder) throw new Error("STANDIN_CLOUD is not set: it names the folder of what exists.");
  return new Cloud(folder);
}
