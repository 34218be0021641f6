import { beforeEach, describe, expect, it, vi } from "vitest";
import { pageModule } from "./modules";

describe("PKCE", async () => {
  const { challengeOf, randomText } = await pageModule("pkce.js");

  it("answers the challenge of RFC 7636, appendix B", async () => {
    const challenge = await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    expect(challenge).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });

  it("makes verifiers as the RFC wants them, and never one twice", () => {
    const verifiers = Array.from({ length: 1000 }, randomText);
    for (const verifier of verifiers) expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(new Set(verifiers).size).toBe(1000);
  });
});

describe("object keys", async () => {
  const { objectKey, once } = await pageModule("pictures.js");

  it.each([
    ["chair.png", "s/1-chair.png"],
    ["red chair, oak (2).JPG", "s/1-red-chair-oak-2.JPG"],
    ["ノート 青.png", "s/1-ノート-青.png"],
    ["u\u0308ber.png", "s/1-über.png"],
    ["हिन्दी.png", "s/1-हिन्दी.png"],
    ["../../etc/passwd", "s/1-..-..-etc-passwd"],
    ["a\\b%2Fc?d#e&f+g.png", "s/1-a-b-2Fc-d-e-f-g.png"],
    ["lone \ud83d surrogate.png", "s/1-lone-surrogate.png"],
    ["line\r\nbreak\u0000.png", "s/1-line-break.png"],
    ["", "s/1-"],
  ])("%j becomes %j", (fileName, key) => {
    expect(objectKey("s", fileName, "1")).toBe(key);
  });

  it("keeps the end of a long name, whole characters only, within S3's 1,024 bytes", () => {
    const key = objectKey("7c9e6679-7425-40de-944b-e07fc1f90ae7", `${"𠮷".repeat(300)}.png`, once());
    expect(key.endsWith("𠮷.png")).toBe(true);
    expect(Buffer.byteLength(key)).toBeLessThan(1024);
    expect(() => encodeURIComponent(key)).not.toThrow();
  });

  it("are never made twice", () => {
    expect(new Set(Array.from({ length: 1000 }, once)).size).toBe(1000);
  });
});

describe("addresses", async () => {
  const { apiAddress, publicAddress } = await pageModule("pictures.js");

  const settings = { apiUrl: "https://api.test/v1/", bucketName: "pictures", bucketUrl: "https://bucket.test" };

  it("the API gets the key as one segment", () => {
    expect(apiAddress(settings, "s/1-ü%.png")).toBe("https://api.test/v1/pictures/s%2F1-%C3%BC%25.png");
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

  it("are taken up to the API's limit, whatever they call themselves", async () => {
    expect(await checkedType(file(largest))).toBe("image/png");
    expect(await checkedType(file(100, [0xff, 0xd8, 0xff]))).toBe("image/jpeg");
  });

  it.each([
    ["a larger one", file(largest + 1), "This picture is larger than 10 MB: it has 10.0 MB."],
    ["an empty one", file(0), "This file is empty."],
    ["text with a picture's name", file(100, [0x68, 0x69]), "Only JPEG and PNG pictures are taken."],
  ])("%s is refused in words, for good", async (_, refused, words) => {
    const problem = await checkedType(refused).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ message: words, final: true, signedOut: false });
  });

  it.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1 kB"],
    [1536 * 1024, "1.5 MB"],
  ])("%i bytes read %j", (bytes, words) => {
    expect(inWords(bytes)).toBe(words);
  });
});

describe("problems", async () => {
  const { problemOf, wordsFor, wordsOf } = await pageModule("problems.js");

  it.each([
    [400, /^The upload was refused \(400\)\.$/],
    [401, /Sign in again/],
    [403, /not allowed/],
    [404, /not found/],
    [413, /10 MB/],
    [415, /JPEG and PNG/],
    [429, /too many requests/],
    [500, /failed \(500\).*Try again/],
    [503, /failed \(503\).*Try again/],
    [504, /too long/],
  ])("%i comes in words", (status, words) => {
    expect(wordsFor(status, "The upload")).toMatch(words);
  });

  it("tell what helps: a new sign-in, another try, or neither", () => {
    expect(problemOf(401, "x")).toMatchObject({ signedOut: true });
    expect(problemOf(503, "x")).toMatchObject({ signedOut: false, final: false });
    expect(problemOf(429, "x")).toMatchObject({ final: false });
    expect(problemOf(413, "x")).toMatchObject({ signedOut: false, final: true });
  });

  it("say of a defect that it is the page's", () => {
    expect(wordsOf(new TypeError("x is not a function"))).toBe(
      "Something went wrong in this page: x is not a function",
    );
  });
});

describe("the line of uploads", async () => {
  const { line } = await pageModule("upload.js");

  it("lets so many run at once, in order, and goes on after a failure", async () => {
    const inTurn = line(2);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((n) =>
        inTurn(async () => {
          begun.push(n);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          if (n === 2) throw new Error("no");
          return n;
        }),
      ),
    );
    expect(most).toBe(2);
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
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
