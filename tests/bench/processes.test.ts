import { describe, expect, it } from "vitest";
import { trusting } from "../../bench/trust";

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
