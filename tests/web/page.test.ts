import { beforeEach, describe, expect, it, vi } from "vitest";
import { pageModule } from "./modules";

const settings = { apiUrl: "https://api.test/v1/", bucketName: "pictures", bucketUrl: "https://bucket.test" };

describe("PKCE", async () => {
  const { challengeOf, randomText } = await pageModule("pkce.js");

  it("makes the challenge of RFC 7636, appendix B", async () => {
    const challenge = await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    expect(challenge).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });

  it("makes verifiers in the RFC's form, and never one twice", () => {
    const verifiers = Array.from({ length: 1000 }, randomText);
    for (const verifier of verifiers) expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(new Set(verifiers).size).toBe(1000);
  });
});

describe("names of objects", async () => {
  const { objectName, once, uploadTarget } = await pageModule("pictures.js");

  it.each([
    ["chair.png", "1-chair.png"],
    ["red chair, oak (2).JPG", "1-red-chair-oak-2.JPG"],
    ["ノート 青.png", "1-ノート-青.png"],
    ["u\u0308ber.png", "1-über.png"],
    ["हिन्दी.png", "1-हिन्दी.png"],
    ["../../etc/passwd", "1-..-..-etc-passwd"],
    ["a\\b%2Fc?d#e&f+g.png", "1-a-b-2Fc-d-e-f-g.png"],
    ["lone \ud83d surrogate.png", "1-lone-surrogate.png"],
    ["line\r\nbreak\u0000.png", "1-line-break.png"],
    ["", "1-"],
  ])("%j becomes %j", (fileName, key) => {
    expect(objectName(fileName, "1")).toBe(key);
  });

  it("keeps the end of a long name, whole characters only, within S3's 1,024 bytes", () => {
    const sub = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    const { key } = uploadTarget({ ...settings, uploads: {} }, sub, objectName(`${"𠮷".repeat(300)}.png`, once()));
    expect(key.endsWith("𠮷.png")).toBe(true);
    expect(Buffer.byteLength(key)).toBeLessThan(1024);
    expect(() => encodeURIComponent(key)).not.toThrow();
  });

  it("are never made twice", () => {
    expect(new Set(Array.from({ length: 1000 }, once)).size).toBe(1000);
  });
});

describe("addresses", async () => {
  const { apiAddress, publicAddress, uploadTarget } = await pageModule("pictures.js");

  it("the API gets the key as one segment", () => {
    expect(apiAddress(settings, "s/1-ü%.png")).toBe("https://api.test/v1/pictures/s%2F1-%C3%BC%25.png");
  });

  it("an upload is addressed by the whole key, or without the prefix where the API adds it; the key is the same", () => {
    const target = (ownPrefix: boolean) => uploadTarget({ ...settings, uploads: { ownPrefix } }, "s", "1-a.png");
    expect(target(false)).toEqual({ key: "s/1-a.png", url: "https://api.test/v1/pictures/s%2F1-a.png" });
    expect(target(true)).toEqual({ key: "s/1-a.png", url: "https://api.test/v1/pictures/1-a.png" });
  });

  it("the bucket gets it as a path", () => {
    expect(publicAddress(settings, "s/1-ü%.png")).toBe("https://bucket.test/s/1-%C3%BC%25.png");
  });
});

describe("files", async () => {
  const { checkedType, inWords, largest, pictureType } = await pageModule("pictures.js");
  const { Problem } = await pageModule("problems.js");

  const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

  it.each([
    [png, "image/png"],
    [[0xff, 0xd8, 0xff, 0xe0], "image/jpeg"],
    [[0x47, 0x49, 0x46, 0x38, 0x39, 0x61], undefined],
    [png.slice(0, 7), undefined],
    [[], undefined],
  ])("beginning with %j are %s", (bytes, type) => {
    expect(pictureType(Uint8Array.from(bytes))).toBe(type);
  });

  const file = (size: number, bytes = png) => {
    const content = new Uint8Array(size);
    content.set(bytes.slice(0, size));
    return new File([content], "a.png", { type: "image/png" });
  };

  it("are accepted up to the API's limit, with the type of their content and not of their name", async () => {
    expect(await checkedType(file(largest))).toBe("image/png");
    expect(await checkedType(file(100, [0xff, 0xd8, 0xff]))).toBe("image/jpeg");
  });

  it.each([
    [
      "a larger one",
      file(largest + 1),
      "This picture is too large: it has 10.0 MB (10,485,761 bytes), and 10.0 MB (10,485,760 bytes) are the most.",
    ],
    ["an empty one", file(0), "This file is empty."],
    ["text with a picture's name", file(100, [0x68, 0x69]), "Only JPEG and PNG pictures are taken."],
  ])("%s is refused with a message, and a retry is not offered", async (_, refused, words) => {
    const problem = await checkedType(refused).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ message: words, final: true, signedOut: false });
  });

  it.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1 kB"],
    [1536 * 1024, "1.5 MB"],
  ])("%i bytes are shown as %j", (bytes, words) => {
    expect(inWords(bytes)).toBe(words);
  });
});

describe("problems", async () => {
  const { problemOf, unreachable, wordsFor, wordsOf } = await pageModule("problems.js");

  it.each([
    [400, /^The upload was refused \(400\)\.$/],
    [401, /Sign in again/],
    [403, /not allowed/],
    [404, /not found/],
    [413, /10 MB/],
    [409, /Try again/],
    [412, /not replaced/],
    [415, /type of file/],
    [429, /too many requests/],
    [500, /failed \(500\).*Try again/],
    [503, /failed \(503\).*Try again/],
    [504, /too long/],
  ])("status %i has a message", (status, words) => {
    expect(wordsFor(status, "The upload")).toMatch(words);
  });

  it("have flags for what helps: a new sign-in, a retry, or neither", () => {
    expect(problemOf(401, "x")).toMatchObject({ signedOut: true });
    expect(problemOf(503, "x")).toMatchObject({ signedOut: false, final: false });
    expect(problemOf(429, "x")).toMatchObject({ final: false });
    // S3: "On a 409 failure you should retry the upload."
    expect(problemOf(409, "x")).toMatchObject({ signedOut: false, final: false });
    expect(problemOf(412, "x")).toMatchObject({ signedOut: false, final: true });
    expect(problemOf(413, "x")).toMatchObject({ signedOut: false, final: true });
  });

  it("name what to check: the connection, or the terminal for a service on this machine", () => {
    expect(unreachable("the image API", "https://api.test/v1/x")).toBe(
      "There is no connection to the image API. Check that you are online, and try again.",
    );
    for (const url of ["http://localhost:3000/me", "http://127.0.0.1:3000/", "http://[::1]:3000/"]) {
      expect(unreachable("the server", url)).toMatch(/^There is no connection to the server\. .* its terminal /);
    }
  });

  it("say that a defect is in the page", () => {
    expect(wordsOf(new TypeError("x is not a function"))).toBe(
      "Something went wrong in this page: x is not a function",
    );
  });
});

describe("uploads at the same time", async () => {
  const { limited } = await pageModule("upload.js");

  it("are limited, start in order, and go on after a failure", async () => {
    const inTurn = limited(2);
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((n) =>
        inTurn(async () => {
          started.push(n);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          if (n === 2) throw new Error("no");
          return n;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(started).toEqual([1, 2, 3, 4, 5]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
  });
});

describe("the sign-in of a tab", async () => {
  const { Session } = await pageModule("session.js");
  const session = new Session({ signInUrl: "https://login.test/login", webUrl: "http://localhost:3000/" });
  const items = new Map<string, string>();
  const payload = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const tokens = { accessToken: "a", refreshToken: "r", expiresAt: Date.now() + 3_600_000 };
  const person = { sub: "7c9e", email: "zoë@example.com" };

  beforeEach(() => {
    items.clear();
    vi.stubGlobal("sessionStorage", {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, value: string) => items.set(name, value),
      removeItem: (name: string) => items.delete(name),
    });
    vi.stubGlobal("history", { replaceState: vi.fn() });
    return () => vi.unstubAllGlobals();
  });
  const arrive = (query: string) => {
    const assign = vi.fn();
    vi.stubGlobal("location", { href: `http://localhost:3000/${query}`, pathname: "/", assign });
    return { finished: session.finish() as Promise<void>, assign };
  };

  it("has the person of the ID token", async () => {
    items.set("tokens", JSON.stringify({ ...tokens, idToken: payload({ ...person, aud: "client" }) }));
    expect(session.user).toEqual(person);
    expect(await session.accessToken()).toBe("a");
  });

  it.each([
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    JSON.stringify(tokens),
    JSON.stringify({ ...tokens, idToken: "no token" }),
    JSON.stringify({ ...tokens, idToken: payload({}) }),
    JSON.stringify({ ...tokens, expiresAt: "soon", idToken: payload(person) }),
  ])("does not exist where %s is stored", async (kept) => {
    items.set("tokens", kept);
    expect(session.user).toBeUndefined();
    await expect(session.accessToken()).rejects.toMatchObject({ signedOut: true });
  });

  it("shows an error of the login pages, with a state or without", async () => {
    const words = "The login pages did not sign you in: redirect_mismatch.";
    await expect(arrive("?error=redirect_mismatch").finished).rejects.toThrow(words);
    items.set("pendingSignIn", JSON.stringify({ state: "s", verifier: "v" }));
    await expect(arrive("?error=x&error_description=redirect_mismatch&state=s").finished).rejects.toThrow(words);
    expect(items.size).toBe(0);
  });

  it.each(["?code=c&state=other", "?error=access_denied&state=other"])(
    "refuses the response to another tab's sign-in: %s",
    async (query) => {
      for (const kept of ["{", JSON.stringify({ state: "s", verifier: "v" })]) {
        items.set("pendingSignIn", kept);
        await expect(arrive(query).finished).rejects.toThrow("This sign-in was not started in this tab");
      }
    },
  );

  it("never uses a code without a state, and starts a new sign-in", async () => {
    const { finished, assign } = arrive("?code=c");
    await finished;
    expect(assign).toHaveBeenCalledWith(expect.stringMatching(/^https:\/\/login\.test\/oauth2\/authorize\?/));
  });
});

describe("remembered pictures", async () => {
  const { Remembered } = await pageModule("remembered.js");

  beforeEach(() => {
    const items = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, value: string) => items.set(name, value),
    });
    return () => vi.unstubAllGlobals();
  });

  it("leave out stored values that are not pictures, and can be added afterwards", () => {
    for (const kept of ["{", '"text"', "{}", "null", '[null, 1, {"key": 1}, {"key": "me/0", "name": "a"}]']) {
      (globalThis as any).localStorage.setItem("pictures of me in bucket", kept);
      const remembered = new Remembered("bucket", "me");
      expect(remembered.list(), kept).toEqual([]);
      remembered.add(picture("me/1"));
      expect(remembered.list()).toEqual([picture("me/1")]);
    }
  });

  const picture = (key: string) => ({ key, name: "a.png", size: 1, at: "2026-01-01T00:00:00.000Z" });

  it("are each person's own, in each bucket, newest first", () => {
    const mine = new Remembered("bucket", "me");
    mine.add(picture("me/1"));
    mine.add(picture("me/2"));
    expect(new Remembered("bucket", "me").list()).toEqual([picture("me/2"), picture("me/1")]);
    expect(new Remembered("bucket", "you").list()).toEqual([]);
    expect(new Remembered("other", "me").list()).toEqual([]);
    mine.remove("me/2");
    expect(mine.list()).toEqual([picture("me/1")]);
  });
});
