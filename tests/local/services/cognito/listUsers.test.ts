import {
  AdminDeleteUserCommand,
  ListUsersCommand,
  type ListUsersCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseFilter } from "../../../../local/services/cognito/operations/listUsers";
import { LocalCognito } from "./support";

let local: LocalCognito;
const total = 20_000;
const address = (i: number) => `user${i}@example.com`;
const list = (more: Partial<ListUsersCommandInput> = {}) =>
  local.sdk.send(new ListUsersCommand({ UserPoolId: local.poolId, ...more }));

beforeAll(async () => {
  local = await LocalCognito.start();
  const { users } = local.cognito.pool(local.poolId)!;
  for (let i = 0; i < total; i++) {
    const username = `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`;
    users.save({
      username,
      attributes: { sub: username, email: address(i), email_verified: "true" },
      status: i % 2 ? "CONFIRMED" : "UNCONFIRMED",
      enabled: i !== 7,
      created: 1_700_000_000_000 + i,
      modified: 1_700_000_000_500 + i,
    });
  }
});
afterAll(() => local.dispose());

describe("ListUsers", () => {
  test("returns users in Cognito's form, at most 60 on a page", async () => {
    const { Users, PaginationToken } = await list();
    expect(Users).toHaveLength(60);
    expect(PaginationToken).toBeTruthy();
    expect(Users![0]).toEqual({
      Username: "00000000-0000-4000-8000-000000000000",
      Attributes: [
        { Name: "sub", Value: "00000000-0000-4000-8000-000000000000" },
        { Name: "email", Value: address(0) },
        { Name: "email_verified", Value: "true" },
      ],
      UserCreateDate: new Date(1_700_000_000_000),
      UserLastModifiedDate: new Date(1_700_000_000_500),
      Enabled: true,
      UserStatus: "UNCONFIRMED",
    });
    await expect(list({ Limit: 61 })).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(list({ PaginationToken: "made up" })).rejects.toMatchObject({ name: "InvalidParameterException" });
    const narrow = await list({ Limit: 1, AttributesToGet: ["email"] });
    expect(narrow.Users![0]!.Attributes).toEqual([{ Name: "email", Value: address(0) }]);
    await expect(list({ AttributesToGet: ["shoe_size"] })).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  test("pages through 20,000 users, each once, even while some are deleted", async () => {
    const seen = new Set<string>();
    let PaginationToken: string | undefined;
    let pages = 0;
    do {
      const page = await list({ PaginationToken });
      for (const user of page.Users!) seen.add(user.Username!);
      PaginationToken = page.PaginationToken;
      if (pages++ === 10) {
        await local.sdk.send(new AdminDeleteUserCommand({ UserPoolId: local.poolId, Username: address(3) }));
        await local.sdk.send(new AdminDeleteUserCommand({ UserPoolId: local.poolId, Username: address(19_999) }));
      }
    } while (PaginationToken);
    expect(seen.size).toBe(total - 1);
    expect(pages).toBe(Math.ceil((total - 1) / 60));
  });

  test.each([
    ['email = "USER5@example.com"', 1],
    ['email ^= "user1999"', 10],
    ['"username" = "00000000-0000-4000-8000-000000000012"', 1],
    ['sub="00000000-0000-4000-8000-000000000012"', 1],
    ['status = "Disabled"', 1],
    ['cognito:user_status = "CONFIRMED"', 60],
    ['email = "nobody@example.com"', 0],
    ["", 60],
  ])("filters by %s", async (Filter, count) => {
    expect((await list({ Filter })).Users).toHaveLength(count);
  });

  test.each(["email", "email = x", 'shoe = "1"', 'email > "a"', '__proto__ = "x"', 'email = "a" or "b"'])(
    "refuses the filter %s",
    (filter) => {
      expect(() => parseFilter(filter)).toThrow(/Error while parsing filter/);
    },
  );

  test("a filtered page has a token only if another user follows", async () => {
    const page = await list({ Filter: 'email ^= "user1998"', Limit: 10 });
    expect(page.Users).toHaveLength(10);
    const more = await list({ Filter: 'email ^= "user1998"', Limit: 10, PaginationToken: page.PaginationToken });
    expect([page.PaginationToken, more.Users!.length]).toEqual([expect.any(String), 1]);
    expect(more.PaginationToken).toBeUndefined();
  });
});
