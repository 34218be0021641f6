/**
 * The engine identifies a resource by its URN. A resource whose URN is no longer registered is deleted with its data,
 * and a new one is made under the new URN. So the URNs of each stack are listed in tests/infra/urns/.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadNatively, projectRoot } from "../support/native";
import { type Registration, registrations, registrationsOf } from "../support/registrations";

const fileOf = (stack: string) => join(projectRoot, "tests/infra/urns", `${stack}.txt`);

/** URNs of the list that are no longer registered, neither as a URN nor as an alias. */
function missing(listed: readonly string[], registered: readonly Registration[]): string[] {
  const known = new Set(registered.flatMap(({ urn, aliases }) => [urn, ...aliases]));
  return listed.filter((urn) => !known.has(urn));
}

const advice = `These URNs are no longer registered: the next \`pulumi up\` would delete those resources.
- Renamed, or moved to another parent: give the resource \`aliases: [{ name: "old" }]\` (or \`parent\`, or \`type\`).
- Removed on purpose: delete their lines from the file by hand, and say in the commit what happens to their data.`;

it.each(["dev", "staging", "prod"])("stack %s registers all URNs of its list, and no others", async (stack) => {
  const registered = await registrations(stack);
  const file = fileOf(stack);
  const listed = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const gone = missing(listed, registered);
  expect(gone, `${advice}\n${gone.join("\n")}\n(${file})`).toEqual([]);
  // New ones are added by `npx vitest run tests/infra/urns.test.ts -u`.
  const urns = registered.map(({ urn }) => urn).toSorted();
  await expect(`${urns.join("\n")}\n`).toMatchFileSnapshot(file);
});

describe("a resource that is renamed or moved", () => {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const Custom = pulumi.CustomResource as any as new (type: string, name: string, props: object, opts?: object) => any;
  const before = [
    "urn:pulumi:dev::ecommerce::shop:Part$aws:s3/bucket:Bucket::old",
    "urn:pulumi:dev::ecommerce::shop:Part::part",
  ];
  const of = (name: string, aliases: (part: any) => object[], inPart = true) =>
    registrationsOf("dev", {}, async () => {
      const part = new pulumi.ComponentResource("shop:Part", "part");
      new Custom("aws:s3/bucket:Bucket", name, {}, { ...(inPart ? { parent: part } : {}), aliases: aliases(part) });
      return {};
    });

  it("is missing without an alias", async () => {
    expect(missing(before, await of("old", () => []))).toEqual([]);
    expect(missing(before, await of("new", () => []))).toEqual([before[0]]);
    expect(missing(before, await of("old", () => [], false))).toEqual([before[0]]);
  });

  it("is found by an alias of its name or of its parent", async () => {
    expect(missing(before, await of("new", () => [{ name: "old" }]))).toEqual([]);
    expect(missing(before, await of("old", (part) => [{ parent: part }], false))).toEqual([]);
    expect(missing(before, await of("new", () => [{ name: "other" }]))).toEqual([before[0]]);
  });
});
