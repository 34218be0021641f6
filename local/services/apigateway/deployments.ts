import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../lib/files";
import { shortHash } from "../aws/names";
import type { Api } from "./model";

/** A copy of an API at one moment. */
export interface Deployment {
  readonly id: string;
  /** ISO 8601 */
  readonly createdDate: string;
  readonly api: Api;
}

interface StoredDeployment extends Deployment {
  readonly format: number;
  readonly triggers: string;
}

/** Increase this number whenever the type `Api` changes, so that copies of another type are not served. */
const format = 1;

/**
 * Deployments on disk. As on AWS a deployment is replaced only when its triggers change: an edit that no trigger covers
 * is not served, not even after a new start.
 */
export class Deployments {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The deployment to serve.
   * @param name logical name of the deployment in the program
   * @param triggers as registered; if undefined, the deployment is never replaced
   */
  deploy(name: string, api: Api, triggers: unknown): Deployment {
    const triggersText = JSON.stringify(triggers ?? null);
    const stored = this.#read(name);
    if (stored && stored.triggers === triggersText && stored.api.id === api.id) return stored;
    const deployment: StoredDeployment = {
      format,
      id: shortHash(`${api.id} ${name} ${triggersText}`, 6),
      createdDate: new Date().toISOString(),
      triggers: triggersText,
      api: structuredClone(api),
    };
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(this.#file(name), JSON.stringify(deployment));
    return deployment;
  }

  #read(name: string): StoredDeployment | undefined {
    try {
      const stored = JSON.parse(readFileSync(this.#file(name), "utf8")) as StoredDeployment;
      return stored.format === format ? stored : undefined;
    } catch {
      return undefined;
    }
  }

  #file(name: string): string {
    return join(this.#folder, `${shortHash(name, 16)}.json`);
  }
}
