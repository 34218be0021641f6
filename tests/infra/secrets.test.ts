/** No password is in the state as plain text: it is marked as a secret from its generation to each use. */
import { expect, it } from "vitest";
import type * as host from "../../host/program";
import { loadNatively } from "../support/native";
import { devConfig } from "../support/program";

const secretMark = "4dabf18193072939515e22adb298388d";

/** Paths of every text outside a secret that contains one of the values. */
function inPlain(value: unknown, secrets: RegExp, path: string): string[] {
  if (typeof value === "string") return secrets.test(value) ? [path] : [];
  if (typeof value !== "object" || value === null) return [];
  if (secretMark in value) return [];
  return Object.entries(value).flatMap(([key, item]) => inPlain(item, secrets, `${path}.${key}`));
}

it("marks every password as a secret, in inputs and in the stack's outputs", async () => {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const { inProgramFolder, preload } = loadNatively<typeof host>("host/program.ts");
  const plain: string[] = [];
  const used = new Set<string>();
  let generated = 0;
  pulumi.runtime.setAllConfig({ ...devConfig });
  await pulumi.runtime.setMocks(
    {
      call: () => ({ names: ["a", "b"], zoneIds: ["1", "2"] }),
      newResource: ({ type, name, inputs }) => {
        plain.push(...inPlain(inputs, /generated-password-\d/, name));
        if (/generated-password-\d/.test(JSON.stringify(inputs))) used.add(name);
        // The random provider returns its passwords as secrets.
        const result = type.startsWith("random:") ? { result: pulumi.secret(`generated-password-${++generated}`) } : {};
        const server = { address: "db", resourceId: "db-1" };
        return { id: `${name}-id`, state: { ...inputs, name, arn: `arn:${name}`, ...server, ...result } };
      },
    },
    "ecommerce",
    "dev",
  );
  const outputs = await inProgramFolder(async () => {
    const registered = await pulumi.runtime.runInPulumiStack(preload());
    await pulumi.runtime.disconnect();
    return registered;
  });
  expect(generated).toBe(2);
  // These resources use the passwords: the instance, the provider, the user, the schema and the secret.
  expect([...used]).toEqual(
    expect.arrayContaining([
      "database",
      "schema-mysql",
      "schema-user",
      "secret-value",
      expect.stringMatching(/schema-/),
    ]),
  );
  expect(plain).toEqual([]);
  expect(JSON.stringify(outputs)).not.toMatch(/generated-password/);
});
