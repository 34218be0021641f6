import { expect, it } from "vitest";
import { environmentOf } from "../../../functions/rotateSecret/environment";
import { EnvironmentIncomplete } from "../../../functions/rotateSecret/errors";

const whole = {
  DatabaseHost: "database.example.com",
  DatabasePort: "3306",
  SecretHost: "proxy.example.com",
  SecretPort: "3307",
  SecretClusterIdentifier: "database-1",
};

it("reads the address where the function logs in, and the address for the secret", () => {
  expect(environmentOf(whole)).toEqual({
    database: { host: "database.example.com", port: 3306 },
    endpoint: { host: "proxy.example.com", port: 3307, dbClusterIdentifier: "database-1" },
  });
});

it("names all variables that are missing or invalid", () => {
  expect(() => environmentOf({})).toThrow(EnvironmentIncomplete);
  expect(() => environmentOf({})).toThrow(Object.keys(whole).join(", "));
  for (const port of ["", "0", "65536", "3306.5", "mysql"]) {
    expect(() => environmentOf({ ...whole, SecretHost: "", DatabasePort: port })).toThrow(
      "The environment variables DatabasePort, SecretHost are missing or invalid; deploy the function again",
    );
  }
});
