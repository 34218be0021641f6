/** The keys of uploads with `api.ownPrefix`: the program's path override on a gateway that decodes as AWS does. */
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { objectPath, uploadPath } from "../../../../infra/images/apiMappings";
import { exchange } from "../s3/exchange";
import { api, end, set, start } from "./configuredApi";
import { bucket } from "./documentedApi";

afterEach(end);

/** The paths that S3 was asked to store: `bucket/key`. */
const stored: string[] = [];

async function startWithPath({ path, parameters }: { path: string; parameters: Record<string, string> }) {
  stored.length = 0;
  await start(
    { "Integration PUT": set({ uri: `arn:aws:apigateway:us-east-1:s3:path/${path}`, requestParameters: parameters }) },
    {
      s3: (store) => ({
        request: (request) => {
          if (request.method === "PUT") stored.push(`${request.bucket}/${request.key}`);
          return store.request(request);
        },
      }),
    },
  );
}
const ownPrefix = () => startWithPath(uploadPath({ ownPrefix: true, overwrite: true }, bucket));
const put = async (path: string) => {
  const headers = { authorization: api.users.access() };
  return (await exchange(api.url, `/dev/${path}`, { method: "PUT", headers, body: Buffer.from("x") })).status;
};

it("a decoded slash in the bucket's parameter begins the key: {bucket}/{sub}/{key} lets a caller write to a victim's prefix", async () => {
  const sub = { "integration.request.path.sub": "context.authorizer.claims.sub" };
  await startWithPath({ path: "{bucket}/{sub}/{key}", parameters: { ...objectPath.parameters, ...sub } });
  expect(await put(`${bucket}%2FVICTIM/x.png`)).toBe(200);
  expect(stored).toEqual([`${bucket}/VICTIM/sub-1/x.png`]);
  expect((await exchange(api.bucketUrl, `/${bucket}/VICTIM/sub-1/x.png`)).text).toBe("x");
});

it("the bucket's own name in the path keeps every upload below the person's prefix", async () => {
  await ownPrefix();
  for (const [path, key] of [
    [`${bucket}/x.png`, "x.png"],
    [`${bucket}%2FVICTIM/x.png`, "x.png"],
    ["another-bucket/x.png", "x.png"],
    [`${bucket}/VICTIM%2Fx.png`, "VICTIM/x.png"],
    [`${bucket}/..%2FVICTIM%2Fx.png`, "../VICTIM/x.png"],
    [`${bucket}/%2e%2e%2FVICTIM%2Fx.png`, "../VICTIM/x.png"],
    [`${bucket}/%252e%252e%252FVICTIM%252Fx.png`, "%2e%2e%2FVICTIM%2Fx.png"],
    [`${bucket}/%2FVICTIM%2Fx.png`, "/VICTIM/x.png"],
    [`${bucket}/%3FVICTIM%2Fx.png`, "?VICTIM/x.png"],
    [`${bucket}/%23VICTIM`, "#VICTIM"],
    [`${bucket}/%E2%88%95..%EF%BC%8F..%C3%B6`, "∕..／..ö"],
  ] as const) {
    stored.length = 0;
    expect([await put(path), stored], path).toEqual([200, [`${bucket}/sub-1/${key}`]]);
  }
  // S3 takes dots in a key as they are.
  expect((await exchange(api.bucketUrl, `/${bucket}/VICTIM%2Fx.png`)).status).toBe(403);
});

it("any other upload is also below the person's prefix, even if a gateway cut its path at ? and #, or decoded it twice", async () => {
  await ownPrefix();
  const piece = fc.oneof(
    fc.constantFrom(
      "%2F",
      "%2f",
      "%5C",
      "%3F",
      "%23",
      "%25",
      "%252F",
      "%2e%2e",
      "..",
      ".",
      "VICTIM",
      "%00",
      "%0a",
      bucket,
    ),
    fc.string({ unit: "grapheme", maxLength: 5 }).map(encodeURIComponent),
  );
  const segment = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(segment, segment, async (first, second) => {
      stored.length = 0;
      const status = await put(`${first}/${second}`);
      expect([200, 400, 403]).toContain(status);
      if (status === 200) expect(stored).toHaveLength(1);
      for (const path of stored) {
        const decoded = path.replaceAll(/%[0-7][0-9a-f]/gi, decodeURIComponent);
        for (const read of [path, path.split(/[?#]/)[0], decoded]) {
          expect(read!.startsWith(`${bucket}/sub-1/`), path).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});
