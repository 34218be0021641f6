import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Browser } from "../../tests/local/services/managed-login/browser";
import { type RunningSystem, startLocalSystem } from "../../tests/support/localSystem";
import { type Figure, figureOf, readable } from "../figures";
import { allOf, interleaved, repeated } from "../rounds";
import { spread, summarize } from "../statistics";

const starts = 3;
const uploads = { rounds: 6, each: 12 };

/** `npm start` on the data folder of an earlier start, and uploads through the gateway of the last of these systems. */
export async function measureSystem(directory: string): Promise<Figure[]> {
  await (await startLocalSystem(directory)).stop();
  const seconds: number[] = [];
  let system: RunningSystem | undefined;
  // npm runs in its own process group here, which a Ctrl-C in the terminal does not reach.
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    system?.process.kill();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    for (let round = 0; round < starts; round++) {
      await system?.stop();
      const startedAt = performance.now();
      system = await startLocalSystem(directory, [], {}, "npm");
      seconds.push((performance.now() - startedAt) / 1000);
      if (interrupted) throw new Error("The benchmark was interrupted.");
    }
    const start = figureOf(
      "npm start to the proof, second start",
      summarize(seconds).median,
      `${seconds.map(readable).join(", ")} s`,
    );
    return [start, await measureUploads(system!, directory)];
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await system?.stop();
  }
}

/** Uploads of 1 MB through the gateway with its authorizer, and to a plain server that writes the same file. */
async function measureUploads(system: RunningSystem, directory: string): Promise<Figure> {
  const token = await signIn(system);
  const { apiUrl, bucketName, bucketUrl } = system.outputs;
  const body = randomBytes(1_000_000);
  const server = spawn(process.execPath, [join(__dirname, "../processes/fileServer.cjs")], {
    env: { ...process.env, BENCH_FOLDER: directory },
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const [port] = await once(server.stdout, "data");
    const { sub } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
    let number = 0;
    const headers = { authorization: token, "content-type": "image/png" };
    const name = () => `${encodeURIComponent(`${sub}/bench-${number++}.png`)}`;
    const series = {
      plain: () => repeated(uploads.each, () => put(`http://127.0.0.1:${Number(port)}/file`, body, headers)),
      gateway: () => repeated(uploads.each, () => put(`${apiUrl}/${bucketName}/${name()}`, body, headers)),
    };
    await interleaved(1, series); // To warm both up.
    const times = await interleaved(uploads.rounds, series);
    const stored = await fetch(`${bucketUrl}/${sub}/bench-${number - 1}.png`);
    if (!Buffer.from(await stored.arrayBuffer()).equals(body)) throw new Error("The gateway stored something else.");
    const own = summarize(allOf(times, "gateway"));
    const floor = summarize(allOf(times, "plain"));
    return figureOf(
      "gateway, upload of 1 MB, over a plain server that writes the file",
      own.median / floor.median,
      `${spread(own, "ms")} against ${spread(floor, "ms")}`,
    );
  } finally {
    server.stdin.end();
  }
}

/** @returns the duration of the upload (ms) */
async function put(url: string, body: Buffer, headers: Record<string, string>): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url, { method: "PUT", body: new Uint8Array(body), headers });
  const text = await response.text();
  const duration = performance.now() - startedAt;
  if (response.status !== 200) throw new Error(`An upload was answered with ${response.status}: ${text}`);
  return duration;
}

/** Signs a person up and in on the login pages. @returns the access token, which has the scope for uploads */
async function signIn({ outputs }: RunningSystem): Promise<string> {
  const request = new URL(outputs.signInUrl);
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  request.searchParams.set("code_challenge", challenge);
  request.searchParams.set("code_challenge_method", "S256");
  const browser = new Browser(request.origin);
  await browser.open(request.href);
  await browser.open(/href="(\/signup[^"]*)"/.exec(browser.page)![1]!.replaceAll("&amp;", "&"));
  const username = `bench-${randomBytes(6).toString("hex")}@example.com`;
  const password = `Aa1!${randomBytes(12).toString("hex")}`;
  await browser.submit("/signup", { username, password, repeat: password });
  const mails = (await (await fetch(outputs.mailbox)).json()) as { to: string; code: string }[];
  const { code } = mails.find(({ to }) => to === username)!;
  const back = new URL(await browser.submit("/confirm", { code }));
  const answer = await fetch(`${request.origin}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: outputs.userPoolClientId,
      code: back.searchParams.get("code") ?? "",
      redirect_uri: request.searchParams.get("redirect_uri") ?? "",
      code_verifier: verifier,
    }),
  });
  const { access_token } = (await answer.json()) as { access_token?: string };
  if (!access_token) throw new Error(`The token endpoint returned no access token for ${back.href}`);
  return access_token;
}
