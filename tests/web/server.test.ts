import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { InvalidToken, startWebServer, type WebServer, type WebServerOptions } from "../../cli/page/server";
import { freePort, isFree } from "../../cli/ports";

const settings = {
  region: "eu-west-1",
  userPoolClientId: "client",
  signInUrl: "https://shop.auth.eu-west-1.amazoncognito.com/login?client_id=client",
  apiUrl: "https://abc.execute-api.eu-west-1.amazonaws.com/v1",
  bucketName: "pictures",
  bucketUrl: "https://pictures.s3.eu-west-1.amazonaws.com",
  uploads: { ownPrefix: false, overwrite: true, writers: "everyone" as const },
  webUrl: "http://localhost:3000/signed-in",
};

const ipv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === "::1"));

let server: WebServer | undefined;
afterEach(() => server?.close());

async function start(options: Partial<WebServerOptions> = {}): Promise<WebServer> {
  server = await startWebServer({ port: 0, settings: () => settings, ...options });
  return server;
}

const at = (path: string) => new URL(path, server!.url);

/** A request whose path and headers are sent unchanged. */
function raw(path: string, { method = "GET", host = "127.0.0.1", headers = {} as Record<string, string> } = {}) {
  const { port } = new URL(server!.url);
  const own = { host: `localhost:${port}`, ...headers };
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    request({ host, port, path, method, headers: own }, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      resolve({ status: response.statusCode!, text });
    })
      .on("error", reject)
      .end();
  });
}

describe("the page", () => {
  it.each([
    ["/", "text/html; charset=utf-8"],
    ["/?code=abc&state=def", "text/html; charset=utf-8"],
    ["/signed-in?code=abc", "text/html; charset=utf-8"],
    ["/style.css", "text/css; charset=utf-8"],
    ["/main.js", "text/javascript; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
  ])("%s is %s", async (path, type) => {
    await start();
    const response = await fetch(at(path));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  it("allows its own scripts, and the origins of its API, bucket and login only", async () => {
    await start();
    const policy = (await fetch(at("/"))).headers.get("content-security-policy")!;
    expect(Object.fromEntries(policy.split("; ").map((rule) => rule.split(/ (.*)/)))).toEqual({
      "default-src": "'none'",
      "script-src": "'self'",
      "style-src": "'self'",
      "img-src": "'self' blob: https://pictures.s3.eu-west-1.amazonaws.com",
      "connect-src":
        "'self' https://abc.execute-api.eu-west-1.amazonaws.com https://shop.auth.eu-west-1.amazoncognito.com",
      "base-uri": "'none'",
      "form-action": "'none'",
      "frame-ancestors": "'none'",
    });
  });

  it("contains nothing that this policy forbids, and all its modules exist", async () => {
    await start();
    const page = await (await fetch(at("/"))).text();
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
    const links = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    expect(links.length).toBeGreaterThan(2);
    const modules = readdirSync(join(__dirname, "../../web")).filter((name) => name.endsWith(".js"));
    for (const name of modules) {
      const source = await (await fetch(at(`/${name}`))).text();
      expect(source).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
      for (const [, path] of source.matchAll(/from "\.(\/[^"]+)"/g)) links.push(path!);
    }
    for (const path of new Set(links)) expect((await fetch(at(path))).status, path).toBe(200);
  });

  it("is revalidated every time, and sent again only after a change", async () => {
    await start();
    const first = await fetch(at("/main.js"));
    const etag = first.headers.get("etag")!;
    expect(first.headers.get("cache-control")).toBe("no-cache");
    expect((await raw("/main.js", { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await raw("/main.js", { headers: { "if-none-match": `"old", ${etag}` } })).status).toBe(304);
    expect((await raw("/main.js", { headers: { "if-none-match": '"old"' } })).status).toBe(200);
  });
});

it.skipIf(!ipv6)("is served on ::1 too, where a browser looks for localhost first", async () => {
  const { port } = new URL((await start()).url);
  expect(await isFree(Number(port), "::1")).toBe(false);
  const [first, second] = await Promise.all(["127.0.0.1", "::1"].map((host) => raw("/icon.svg", { host })));
  expect(second).toEqual(first);
  expect(first!.status).toBe(200);
  await server!.close();
  expect(await isFree(Number(port), "::1")).toBe(true);
});

it("HEAD has the headers only", async () => {
  await start();
  const response = await fetch(at("/style.css"), { method: "HEAD" });
  expect([response.status, await response.text()]).toEqual([200, ""]);
  expect(Number(response.headers.get("content-length"))).toBeGreaterThan(100);
});

describe("a refusal has a message", () => {
  it.each([
    "/nothing.js",
    "/../package.json",
    "/..%2fpackage.json",
    "/%2e%2e/package.json",
    "/..\\package.json",
    "//etc/passwd",
    "/./index.html/../../package.json",
    "http://elsewhere.test/main.js",
    "/tsconfig.json",
    "/main.js%00.html",
    "/%",
  ])("%s is 404", async (path) => {
    await start();
    const { status, text } = await raw(path);
    expect([status, JSON.parse(text)]).toEqual([404, { message: "There is no such page; the page is at /." }]);
  });

  it("another method is 405", async () => {
    await start();
    const response = await fetch(at("/"), { method: "POST", body: "x" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.json()).toEqual({ message: "The method POST is not allowed here; GET and HEAD are." });
  });

  it("another host name that resolves to this machine is 403", async () => {
    await start({ me: async () => ({}) });
    expect((await raw("/config.json", { headers: { host: "evil.test" } })).status).toBe(403);
    expect((await raw("/me", { headers: { host: "evil.test", authorization: "Bearer a" } })).status).toBe(403);
  });

  it.skipIf(!ipv6)("a port that is taken on ::1 only is an error, and 127.0.0.1 is released again", async () => {
    const port = await freePort();
    const other = createServer().listen(port, "::1");
    await once(other, "listening");
    try {
      const started = startWebServer({ port, settings: () => settings });
      await expect(started).rejects.toThrow(`Port ${port} on ::1 (page) is taken`);
      expect(await isFree(port)).toBe(true);
    } finally {
      other.close();
    }
  });

  it("a port that is taken is an error", async () => {
    const { port } = new URL((await start()).url);
    await expect(startWebServer({ port: Number(port), settings: () => settings })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 (page) is taken`,
    );
  });
});

describe("settings", () => {
  it("have the public outputs only", async () => {
    const outputs = {
      ...settings,
      userPoolId: "eu-west-1_x",
      mysql: { host: "127.0.0.1", port: 3306, user: "admin", password: "hunter2", database: "ecommerce_db" },
      accessKeyId: "AKIA",
      secretAccessKey: "hunter3",
      authorityFile: "/home/somebody/authority.pem",
    };
    await start({ settings: () => outputs });
    const response = await fetch(at("/config.json"));
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(JSON.parse(text)).toEqual(settings);
    expect(text).not.toMatch(/hunter|AKIA|somebody/);
  });

  it("have the mailbox and the row's path where this server has them", async () => {
    const mailbox = "http://127.0.0.1:20000/mails";
    await start({ settings: () => ({ ...settings, mailbox }), me: async () => undefined });
    expect(await (await fetch(at("/config.json"))).json()).toEqual({ ...settings, mailbox, rowPath: "/me" });
  });
});

describe("the signed-in person's row", () => {
  const row = { User_UUID: "7c9e6679", User_Email: "a@example.com", User_FirstName: null };
  const me = async (token: string) => {
    if (token === "broken") throw new Error("the database is not running");
    if (token !== "good" && token !== "rowless") throw new InvalidToken();
    return token === "good" ? row : undefined;
  };
  const ask = (authorization?: string) => fetch(at("/me"), { headers: authorization ? { authorization } : {} });

  it("is returned for a valid access token", async () => {
    await start({ me });
    const response = await ask("Bearer good");
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await response.json()).toEqual(row);
  });

  it.each([
    [undefined, 401],
    ["good", 401],
    ["Basic good", 401],
    ["Bearer bad", 401],
    ["Bearer rowless", 404],
  ])("%s is %i, with a message", async (authorization, status) => {
    await start({ me });
    const response = await ask(authorization);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ message: expect.stringMatching(/^[A-Z].* .*\.$/) });
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  });

  it("is refused too where the function throws instead of returning a rejected promise", async () => {
    const me = () => {
      throw new InvalidToken();
    };
    await start({ me });
    expect((await ask("Bearer bad")).status).toBe(401);
  });

  it("is a 500 without the reason where the function fails", async () => {
    await start({ me });
    const terminal = vi.spyOn(console, "error").mockReturnValue();
    const response = await ask("Bearer broken");
    expect([response.status, await response.text()]).toEqual([500, "Internal server error"]);
    expect(terminal).toHaveBeenCalledWith("The local page endpoint failed:", new Error("the database is not running"));
    terminal.mockRestore();
    expect((await ask("Bearer good")).status).toBe(200);
  });

  it("is a 404 where the server has no function that reads it", async () => {
    await start();
    expect((await ask("Bearer good")).status).toBe(404);
  });
});
