/** Which folder may import which: what stands here. `npm run check` refuses anything else, and circles. */
"use strict";

/** Folder → the folders that it may import, beside itself. */
const mayImport = {
  infra: ["functions", "schema"],
  functions: ["schema"],
  schema: [],
  cli: [],
  host: ["cli"],
  // `local/start` knows the shop, the rest of `local/` does not: a rule of its own, below.
  local: ["host", "cli"],
  // `npm run reconcile` registers people by the function's own code, `npm run drift` compares with an empty MySQL server.
  operations: ["host", "cli", "schema", "functions", "infra/config", "local/mysql", "local/lib"],
  policies: [],
  web: [],
};

const folders = Object.keys(mayImport);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circles",
      comment: "Imports, those of types included, lead in one direction.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...folders.map((folder) => ({
      name: `imports-of-${folder}`,
      comment: `${folder}/ imports only: ${[folder, ...mayImport[folder]].join(", ")}`,
      severity: "error",
      from: { path: `^${folder}/`, ...(folder === "local" ? { pathNot: "^local/start/" } : {}) },
      to: {
        path: "^(infra|functions|schema|cli|host|local|operations|policies|web|bench|tests)/",
        pathNot: `^(${[folder, ...mayImport[folder]].join("|")})(/|\\.)`,
      },
    })),
    {
      name: "imports-of-local-start",
      comment: "local/start imports only: local, host, cli, infra",
      severity: "error",
      from: { path: "^local/start/" },
      to: {
        path: "^(functions|schema|operations|policies|web|bench|tests)/",
      },
    },
    {
      name: "only-start-knows-the-shop",
      comment: "The rest of local/ is a target for any program.",
      severity: "error",
      from: { path: "^local/", pathNot: "^local/start/" },
      to: { path: "^local/start/" },
    },
    {
      name: "no-tests-in-the-program",
      severity: "error",
      from: { pathNot: "^(tests|bench)/" },
      to: { path: "^(tests|bench)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.build/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".cjs", ".js", ".json"] },
  },
};
