import { join } from "node:path";

/** The page's modules are for browsers; those that need no page run here as they are. */
export const pageModule = (name: string): Promise<any> => import(join(__dirname, "../../web", name));
