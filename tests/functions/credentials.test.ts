import { afterEach, describe, expect, it, vi } from "vitest";
import { defaultProvider } from "../../functions/bundle-stubs/credentials";

const set = (variables: Record<string, string | undefined>) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

afterEach(() => vi.unstubAllEnvs());

describe("the credentials of a bundled function", () => {
  it("are those that Lambda put into the environment, read at each request", async () => {
    const provide = defaultProvider();
    set({ AWS_ACCESS_KEY_ID: "id-1", AWS_SECRET_ACCESS_KEY: "key-1", AWS_SESSION_TOKEN: "token-1" });
    expect(await provide()).toEqual({ accessKeyId: "id-1", secretAccessKey: "key-1", sessionToken: "token-1" });
    set({ AWS_ACCESS_KEY_ID: "id-2", AWS_SECRET_ACCESS_KEY: "key-2", AWS_SESSION_TOKEN: undefined });
    expect(await provide()).toEqual({ accessKeyId: "id-2", secretAccessKey: "key-2" });
  });

  it.each(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])(
    "are refused without %s, and the error contains no value",
    async (name) => {
      set({ AWS_ACCESS_KEY_ID: "id-1", AWS_SECRET_ACCESS_KEY: "key-1", [name]: undefined });
      const fault = await defaultProvider()().catch((error: Error) => error.message);
      expect(fault).toContain("not both set");
      expect(fault).not.toMatch(/id-1|key-1/);
    },
  );
});
