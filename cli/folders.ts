import { join, resolve } from "node:path";

/** The folder of `package.json` and `Pulumi.yaml`. */
export const projectRoot = join(__dirname, "..");

/** The default of `--dir`: each stack has its own local system, and each local system its own data folder. */
export const defaultDataFolder = (stack: string): string => (stack === "dev" ? ".local" : `.local-${stack}`);

/**
 * The data folder that `--dir` names. A relative path starts at the project's folder, where npm runs every command, and
 * not at the current folder.
 *
 * @param dir @default that of the stack `dev`
 */
export const dataFolder = (dir = defaultDataFolder("dev")): string => resolve(projectRoot, dir);
