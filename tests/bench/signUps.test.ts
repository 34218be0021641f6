import { describe, expect, it } from "vitest";
import { eventOf, SignUps } from "../../bench/signUps";
import { actionFor, userOf } from "../../functions/shared/event";

const success = async (event: string) => ({ payload: event, failed: false });

describe("the sign-ups of the benchmarks", () => {
  it("have different users, whose events the function accepts", async () => {
    const seen = new Set<string>();
    const signUps = new SignUps();
    for (let i = 0; i < 3; i++) {
      await signUps.signUp(async (event) => {
        expect(actionFor(JSON.parse(event))).toBe("register");
        seen.add(userOf(JSON.parse(event)).sub);
        return success(event);
      });
    }
    expect(seen.size).toBe(3);
    expect(userOf(JSON.parse(eventOf("PostAuthentication_Authentication", [...seen][0]!))).email).toMatch(/@/);
  });

  it("pass where each left a row", async () => {
    const signUps = new SignUps();
    await signUps.signUp(success);
    signUps.add(2);
    expect(await signUps.check(async () => 3)).toMatchObject({
      value: 0,
      met: true,
      detail: expect.stringMatching(/^3 /),
    });
  });

  it.each([0, 2])("fail the benchmark where one sign-up left %d rows", async (rows) => {
    const signUps = new SignUps();
    await signUps.signUp(success);
    await expect(signUps.check(async () => rows)).rejects.toThrow(`1 sign-ups left ${rows} rows`);
  });

  it("fail the benchmark where an invocation failed, and are not counted", async () => {
    const signUps = new SignUps();
    await expect(signUps.signUp(async () => ({ payload: "no database", failed: true }))).rejects.toThrow("no database");
    expect(signUps.made).toBe(0);
  });
});
