import { join } from "node:path";

/** Imports a module of the page. They are for browsers; the tests use those that run without a document. */
export const pageModule = (name: string): Promise<any> => import(join(__dirname, "../../web", name));
