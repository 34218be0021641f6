/** API Gateway serves the last deployment: any change of the API must change the deployment's triggers. */
import { expect, it } from "vitest";
import type { ResourceRegistration } from "../../host/resources";
import type * as routes from "../../infra/images/apiMappings";
import type * as api from "../../infra/images/ImageApi";
import { loadNatively } from "../support/native";
import { recordProgram } from "../support/program";

const triggers = async (values = {}) =>
  (await recordProgram(values)).one("aws:apigateway/deployment:Deployment").inputs.triggers;

it("makes a new deployment when anything of the API changes, and only then", async () => {
  const before = await triggers();
  expect(before).toEqual({ definition: expect.stringMatching(/^[0-9a-f]{16}$/) });
  expect(await triggers()).toEqual(before);
  expect(await triggers({ "ecommerce:database.deployerCidrs": '["198.51.100.0/24"]' })).toEqual(before);
  expect(await triggers({ "ecommerce:api": '{"corsOrigin":"https://shop.example.com"}' })).not.toEqual(before);
  expect(await triggers({ "aws:region": "eu-west-1" })).not.toEqual(before);

  const { imageMethods } = loadNatively<typeof routes>("infra/images/apiMappings.ts");
  const response = imageMethods.GET.responses[0] as { headers: object };
  const { headers } = response;
  response.headers = {};
  expect(await triggers()).not.toEqual(before);
  response.headers = headers;
  expect(await triggers()).toEqual(before);
});

it("makes the deployment depend on every resource of the API except the stage", async () => {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const registered: string[] = [];
  let dependencies: string[] = [];
  await pulumi.runtime.setMocks({
    call: ({ token }) => {
      throw new Error(`unexpected call of ${token}`);
    },
    newResource: ({ type, name, inputs }) => {
      if (type.startsWith("aws:apigateway/") && !/Deployment|Stage/.test(type)) registered.push(name);
      return { id: `${name}-id`, state: inputs as ResourceRegistration["inputs"] };
    },
  });
  const { ImageApi } = loadNatively<typeof api>("infra/images/ImageApi.ts");
  const args = { region: "us-east-1", stageName: "v1", bucketName: "b", userPoolArn: "arn:pool", roleArn: "arn:role" };
  new ImageApi("api", args, {
    transformations: [
      ({ type, opts }) => {
        const dependsOn = [opts.dependsOn ?? []].flat() as { __name?: string }[];
        if (type === "aws:apigateway/deployment:Deployment")
          dependencies = dependsOn.map((resource) => resource.__name ?? "");
        return undefined;
      },
    ],
  });
  await pulumi.runtime.disconnect();
  expect(dependencies.toSorted()).toEqual(registered.toSorted());
  expect(registered.length).toBeGreaterThan(50);
});
