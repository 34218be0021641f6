import { join, resolve } from "node:path";

/** The folder of `package.json` and `Pulumi.yaml`. */
export const projectRoot = join(__dirname, "..");

/** Where the local system of a stack keeps its data, unless `--dir` says otherwise: each stack is a system of its own. */
export const usualFolder = (stack: string): string => (stack === "dev" ? ".local" : `.local-${stack}`);

/**
 * The data folder that `--dir` names: from the project's folder on, where npm runs every command, wherever one is.
 *
 * @param dir @default that of the stack `dev`
 */
export const dataFolder = (dir = usualFolder("dev")): string => resolve(projectRoot, dir);
