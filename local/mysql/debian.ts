/**
 * Debian's own MySQL (`mysql-server-core`, in sid only), unpacked without being installed: this needs no root rights
 * and does not change the system. apt uses its own state folder and verifies the packages with Debian's archive
 * keyring. The server runs with the unpacked C library and loader, so the machine's own release does not matter.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { exists } from "../lib/files";
import { cached } from "./cache";
import { askVersion, type MySqlProgram } from "./program";

export interface DebianOptions {
  readonly cache: string;
  readonly say: (line: string) => void;
  /** @default `/etc/apt` */
  readonly aptFolder?: string;
  /** @default `/usr/share/keyrings` */
  readonly keyringFolder?: string;
  /** PATH to look for the package tools in. @default this process's */
  readonly path?: string;
}

interface Platform {
  /** Debian's name. */
  readonly architecture: string;
  readonly loader: string;
  readonly libraries: string;
}

const platforms: Readonly<Record<string, Platform>> = {
  x64: { architecture: "amd64", loader: "usr/lib64/ld-linux-x86-64.so.2", libraries: "usr/lib/x86_64-linux-gnu" },
  arm64: { architecture: "arm64", loader: "usr/lib/ld-linux-aarch64.so.1", libraries: "usr/lib/aarch64-linux-gnu" },
};

const packageName = "mysql-server-core";

/**
 * @returns the unpacked server, fetched where the cache does not have it
 * @throws Error with a sentence where this machine or its network does not allow it
 */
export async function debianProgram(options: DebianOptions): Promise<MySqlProgram> {
  const platform = process.platform === "linux" ? platforms[process.arch] : undefined;
  if (platform === undefined) {
    throw new Error(`Debian's package runs on Linux x64 and arm64, and this is ${process.platform} ${process.arch}`);
  }
  const name = `debian-${packageName}-${platform.architecture}`;
  const fill = (folder: string) => fetchAndUnpack(folder, platform, options);
  const root = await cached(options.cache, name, fill, options.say);
  const command = path.join(root, platform.loader);
  const prefix = ["--library-path", path.join(root, platform.libraries), path.join(root, "usr/sbin/mysqld")];
  return {
    command,
    prefix,
    options: [
      `--basedir=${path.join(root, "usr")}`,
      `--lc-messages-dir=${path.join(root, "usr/share/mysql")}`,
      `--character-sets-dir=${path.join(root, "usr/share/mysql/charsets")}`,
      `--plugin-dir=${path.join(root, "usr/lib/mysql/plugin")}`,
    ],
    version: await askVersion(command, prefix),
    origin: `Debian's package ${packageName}, unpacked in ${root}`,
  };
}

async function fetchAndUnpack(folder: string, platform: Platform, options: DebianOptions): Promise<void> {
  const tools = await findTools(options.path ?? process.env.PATH ?? "");
  const aptFolder = options.aptFolder ?? "/etc/apt";
  const keyring = await findKeyring(options.keyringFolder ?? "/usr/share/keyrings");
  const mirror = findMirror(await readSources(aptFolder));
  if (mirror === undefined) {
    throw new Error(`${aptFolder} names no mirror of Debian's archive, such as one ending in /debian; add one there`);
  }
  const configuration = await prepareApt(path.join(folder, "apt"), aptFolder, mirror, keyring, platform);

  options.say(`Fetching MySQL from Debian's archive (${new URL(mirror).host}, about 65 MB) …`);
  await runApt(tools.apt, configuration, ["update"], () => {});
  let packages = 0;
  await runApt(tools.apt, configuration, ["install", "--yes", "--download-only", packageName], (line) => {
    if (line.startsWith("Get:") && ++packages % 15 === 0) options.say(`… ${packages} packages fetched`);
  });
  const archives = path.join(folder, "apt/cache/archives");
  const files = (await readdir(archives)).filter((file) => file.endsWith(".deb"));
  options.say(`… unpacking ${files.length} packages`);
  for (const file of files) await runTool(tools.dpkg, ["--extract", path.join(archives, file), folder]);
  await rm(path.join(folder, "apt"), { recursive: true });
  // Manuals and translations of the libraries, which the server does not read.
  for (const unused of ["doc", "locale", "man"])
    await rm(path.join(folder, "usr/share", unused), { recursive: true, force: true });
}

async function findTools(searchPath: string): Promise<{ apt: string; dpkg: string }> {
  const [apt, dpkg] = await Promise.all([onPath("apt-get", searchPath), onPath("dpkg", searchPath)]);
  if (apt === undefined || dpkg === undefined) {
    throw new Error("Debian's package needs apt-get and dpkg, and this machine does not have them");
  }
  return { apt, dpkg };
}

async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.join(folder, name);
    if (folder !== "" && (await exists(file))) return file;
  }
  return undefined;
}

async function findKeyring(folder: string): Promise<string> {
  for (const name of ["debian-archive-keyring.gpg", "debian-archive-keyring.pgp"]) {
    if (await exists(path.join(folder, name))) return path.join(folder, name);
  }
  throw new Error(
    `Debian's package needs Debian's archive keys, and ${folder} does not have them ` +
      "(`sudo apt-get install debian-archive-keyring`)",
  );
}

async function readSources(aptFolder: string): Promise<AptFile[]> {
  const parts = path.join(aptFolder, "sources.list.d");
  const names = [
    path.join(aptFolder, "sources.list"),
    ...(await readdir(parts).catch(() => [])).sort().map((name) => path.join(parts, name)),
  ];
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(name, "utf8").catch(() => "") })));
}

export interface AptFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Finds the Debian mirror that this machine uses, in apt's one-line and deb822 formats.
 * @returns its URL; undefined where the machine names none (Ubuntu)
 */
export function findMirror(files: readonly AptFile[]): string | undefined {
  const mirrors = files
    .flatMap(({ name, text }) =>
      name.endsWith(".sources") ? deb822Uris(text) : name.endsWith(".list") ? lineUris(text) : [],
    )
    // `…/debian` holds sid; `…/debian-security`, Ubuntu's and other publishers' archives do not.
    .filter((uri) => /^https?:\/\/.+\/debian\/?$/.test(uri));
  return mirrors[0];
}

/** `deb [option=value …] URI suite component …` */
function lineUris(text: string): string[] {
  return text
    .split("\n")
    .map((line) => /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+\S+.*\bmain\b/.exec(line)?.[1])
    .filter((uri) => uri !== undefined);
}

/** Stanzas of `Field: value`. A value may continue in indented lines, and comments may stand between the lines. */
function deb822Uris(text: string): string[] {
  const stanzas = text.replace(/^#.*\n?/gm, "").split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    const usable = field("Types").includes("deb") && field("Components").includes("main");
    return usable && field("Enabled")[0]?.toLowerCase() !== "no" ? field("URIs") : [];
  });
}

/** @returns the file for `apt-get --config-file`, with which apt writes to this folder only */
async function prepareApt(
  folder: string,
  aptFolder: string,
  mirror: string,
  keyring: string,
  { architecture }: Platform,
): Promise<string> {
  for (const part of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(path.join(folder, part), { recursive: true });
  }
  const configuration = path.join(folder, "apt.conf");
  await writeFile(path.join(folder, "status"), "");
  await writeFile(path.join(folder, "sources.list"), `deb [signed-by=${keyring}] ${mirror} sid main\n`);
  await writeFile(
    configuration,
    [
      `Dir::Etc "${folder}";`,
      `Dir::Etc::SourceList "${folder}/sources.list";`,
      'Dir::Etc::SourceParts "/dev/null";',
      'Dir::Etc::Preferences "/dev/null";',
      'Dir::Etc::PreferencesParts "/dev/null";',
      // The machine's credentials for a mirror stay usable.
      `Dir::Etc::netrc "${aptFolder}/auth.conf";`,
      `Dir::Etc::netrcparts "${aptFolder}/auth.conf.d";`,
      `Dir::State "${folder}/state";`,
      `Dir::State::status "${folder}/status";`,
      `Dir::Cache "${folder}/cache";`,
      `Dir::Log "${folder}";`,
      `APT::Architecture "${architecture}";`,
      "#clear APT::Architectures;",
      `APT::Architectures { "${architecture}"; };`,
      'APT::Install-Recommends "false";',
      // As root, apt would switch to a user who may not write into the cache.
      'APT::Sandbox::User "root";',
      // Without the machine's hooks: those of Docker images delete the packages after each run.
      "#clear APT::Update::Pre-Invoke;",
      "#clear APT::Update::Post-Invoke;",
      "#clear APT::Update::Post-Invoke-Success;",
      "#clear DPkg::Pre-Invoke;",
      "#clear DPkg::Post-Invoke;",
      "#clear DPkg::Pre-Install-Pkgs;",
      'APT::Keep-Downloaded-Packages "true";',
      'Acquire::Languages "none";',
      "#clear Acquire::IndexTargets;",
      'Acquire::IndexTargets::deb::Packages { MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"; ' +
        'flatMetaKey "Packages"; ShortDescription "Packages"; Description "$(RELEASE)/$(COMPONENT) Packages"; };',
      'Acquire::http::Timeout "10";',
      'Acquire::https::Timeout "10";',
      'Acquire::Retries "1";',
      "",
    ].join("\n"),
  );
  return configuration;
}

/** Runs apt-get and calls `line` for each line of its output; fails with the first error that apt prints. */
function runApt(
  apt: string,
  configuration: string,
  args: readonly string[],
  line: (line: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      apt,
      [`--config-file=${configuration}`, "--quiet", "-o", "APT::Update::Error-Mode=any", ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      },
    );
    const errors: string[] = [];
    createInterface({ input: child.stdout }).on("line", line);
    createInterface({ input: child.stderr }).on("line", (text) => {
      if (/^[EW]: /.test(text)) errors.push(text.slice(3).trim());
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Debian's archive could not be used: ${errors[0] ?? `apt-get ended with code ${code}`}`));
    });
  });
}

function runTool(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, (error, _stdout, stderr) => {
      if (error) reject(new Error(`${path.basename(command)} failed: ${stderr.trim() || error.message}`));
      else resolve();
    });
  });
}
