/**
 * A URN is how the engine knows a resource again. One that is no longer registered is deleted, whatever was in it, and
 * made anew under its new URN. So the URNs of each stack stand in tests/infra/urns/.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadNatively, projectRoot } from "../support/native";
import { type Registration, registrations, registrationsOf } from "../support/registrations";

const fileOf = (stack: string) => join(projectRoot, "tests/infra/urns", `${stack}.txt`);

/** What stood in the list, is not registered any more, and is not known by an alias either. */
function vanished(listed: readonly string[], registered: readonly Registration[]): string[] {
  const known = new Set(registered.flatMap(({ urn, aliases }) => [urn, ...aliases]));
  return listed.filter((urn) => !known.has(urn));
}

const advice = `These URNs are registered no more: the next \`pulumi up\` would delete those resources.
- Renamed, or moved to another parent: give the resource \`aliases: [{ name: "old" }]\` (or \`parent\`, or \`type\`).
- Meant to go: delete their lines from the file by hand, and say in the commit what becomes of what they hold.`;

it.each(["dev", "staging", "prod"])(
  "stack %s registers what it registered before, and the list is whole",
  async (stack) => {
    const registered = await registrations(stack);
    const file = fileOf(stack);
    const listed = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    const gone = vanished(listed, registered);
    expect(gone, `${advice}\n${gone.join("\n")}\n(${file})`).toEqual([]);
    // New ones are added by `npx vitest run tests/infra/urns.test.ts -u`.
    const urns = registered.map(({ urn }) => urn).toSorted();
    await expect(`${urns.join("\n")}\n`).toMatchFileSnapshot(file);
  },
);

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

  it("has vanished without an alias", async () => {
    expect(vanished(before, await of("old", () => []))).toEqual([]);
    expect(vanished(before, await of("new", () => []))).toEqual([before[0]]);
    expect(vanished(before, await of("old", () => [], false))).toEqual([before[0]]);
  });

  it("is known by an alias of its name or of its parent", async () => {
    expect(vanished(before, await of("new", () => [{ name: "old" }]))).toEqual([]);
    expect(vanished(before, await of("old", (part) => [{ parent: part }], false))).toEqual([]);
    expect(vanished(before, await of("new", () => [{ name: "other" }]))).toEqual([before[0]]);
  });
});
