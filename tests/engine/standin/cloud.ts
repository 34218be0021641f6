/**
 * The resources that exist, independent of Pulumi's state: one file for each, in the folder that `STANDIN_CLOUD` names.
 * Tests read it too. Files beside the folder control the stand-in: `.fail` names a resource that fails once, `.kill` a
 * resource after whose creation the engine is killed, `.zones` has the letters of the listed zones.
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

  /** Makes the next creation or change of this resource fail. */
  failOnce(name: string): void {
    writeFileSync(this.#failing, name);
  }

  /** @throws Error if this resource must fail; only once */
  mayFail({ name, type }: Subject): void {
    if (!existsSync(this.#failing) || readFileSync(this.#failing, "utf8") !== name) return;
    rmSync(this.#failing);
    throw new Error(`ServiceUnavailable: ${type} ${name} cannot be created now`);
  }

  /** Changes a resource without Pulumi, as somebody does in the console. */
  edit(name: string, outputs: Properties): void {
    const thing = this.things().find(
      (one) => one.name === name && Object.keys(outputs).every((key) => key in one.outputs),
    );
    if (thing === undefined) throw new Error(`No resource ${name} has the outputs ${Object.keys(outputs).join(", ")}`);
    this.put({ ...thing, outputs: { ...thing.outputs, ...outputs } });
  }

  /** Kills the engine after this resource is created, before the engine gets the result. */
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

  /** Letters of the region's availability zones, as AWS lists them now. */
  get zones(): readonly string[] {
    return [...(existsSync(this.#listed) ? readFileSync(this.#listed, "utf8") : "abc")];
  }

  /** Changes the zones that AWS lists. */
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

/** The cloud in the folder that the test passes in `STANDIN_CLOUD`. */
export function cloudOfTests(): Cloud {
  const folder = process.env.STANDIN_CLOUD;
  if (!folder) throw new Error("STANDIN_CLOUD is not set: it names the folder of the existing resources.");
  return new Cloud(folder);
}
