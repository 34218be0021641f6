/** Which of a region's zones the network uses. */
import { expect, it } from "vitest";
import type * as zones from "../../infra/network/availabilityZones";
import { loadNatively } from "../support/native";

const { chooseZones } = loadNatively<typeof zones>("infra/network/availabilityZones.ts");

const listed = (...zoneIds: string[]) => ({ zoneIds, names: zoneIds.map((_, index) => `zone-${"abcdef"[index]}`) });

it.each([
  ["the first ones", listed("eun1-az1", "eun1-az2", "eun1-az3"), ["zone-a", "zone-b"]],
  ["none that RDS Proxy does not support", listed("use1-az4", "use1-az3", "use1-az6"), ["zone-a", "zone-c"]],
  ["an unsupported one if the account has no other", listed("usw1-az2", "usw1-az1"), ["zone-b", "zone-a"]],
])("takes %s", (_, found, chosen) => {
  expect(chooseZones(found, 2)).toEqual(chosen);
});

it("refuses a region with too few", () => {
  expect(() => chooseZones(listed("xyz1-az1"), 2)).toThrow(
    "The network needs 2 available zones, and the region has 1.",
  );
});
