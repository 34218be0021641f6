import { describe, expect, it } from "vitest";
import { peakMB, residentMB } from "../../bench/children";
import { trusting } from "../../bench/trust";

describe("a process's memory", () => {
  it("has been as large as it is, and stays so", async () => {
    const now = await residentMB(process.pid);
    expect(now).toBeGreaterThan(10);
    expect(await peakMB(process.pid)).toBeGreaterThan(now * 0.9);
  });

  it("is not known of a process that is gone", async () => {
    await expect(peakMB(2 ** 30)).rejects.toThrow();
  });
});

describe("the server's authority", () => {
  it("is trusted until the platform is closed, and what was set before is set again", async () => {
    const environment: NodeJS.ProcessEnv = { SSL_CERT_FILE: "/before.pem" };
    const trust = trusting("/server.pem", environment);
    expect(environment).toEqual({ NODE_EXTRA_CA_CERTS: "/server.pem", SSL_CERT_FILE: "/server.pem" });
    await trust.close();
    await trust.close();
    expect(environment).toEqual({ SSL_CERT_FILE: "/before.pem" });
  });
});
