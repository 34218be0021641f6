import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../lib/files";
import { shortHash } from "../aws/names";
import type { Api } from "./model";

/** A copy of an API as it was at one moment. */
export interface Deployment {
  readonly id: string;
  /** ISO 8601 */
  readonly createdDate: string;
  readonly api: Api;
}

interface Kept extends Deployment {
  readonly format: number;
  readonly triggers: string;
}

/** Raised whenever `Api` changes its shape, so that copies of another shape are not served. */
const format = 1;

/**
 * Deployments on disk. As on AWS a deployment is replaced when its triggers change, and otherwise stays what it was: an
 * edit that no trigger covers is not served, not even after a new start.
 */
export class Deployments {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The deployment to serve.
   * @param name logical name of the deployment in the program
   * @param triggers as registered; undefined never changes
   */
  deploy(name: string, api: Api, triggers: unknown): Deployment {
    const wanted = JSON.stringify(triggers ?? null);
    const kept = this.#read(name);
    if (kept && kept.triggers === wanted && kept.api.id === api.id) return kept;
    const made: Kept = {
      format,
      id: shortHash(`${api.id} ${name} ${wanted}`, 6),
      createdDate: new Date().toISOString(),
      triggers: wanted,
      api: structuredClone(api),
    };
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(this.#file(name), JSON.stringify(made));
    return made;
  }

  #read(name: string): Kept | undefined {
    try {
      const kept = JSON.parse(readFileSync(this.#file(name), "utf8")) as Kept;
      return kept.format === format ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  #file(name: string): string {
    return join(this.#folder, `${shortHash(name, 16)}.json`);
  }
}
