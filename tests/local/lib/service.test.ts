import { expect, it } from "vitest";
import type { CreateHandler } from "../../../host/resources";
import { mergeHandlers } from "../../../local/lib/service";

const handler: CreateHandler = ({ name }) => ({ id: name, outputs: {} });

it("merges the handlers of all services by type", () => {
  const other: CreateHandler = ({ name }) => ({ id: `${name}-2`, outputs: {} });
  expect(mergeHandlers({ a: handler }, {}, { b: other, constructor: handler })).toEqual({
    a: handler,
    b: other,
    constructor: handler,
  });
});

it("two services that handle one type are refused, since one would never be called", () => {
  expect(() => mergeHandlers({ "aws:sqs/queue:Queue": handler }, { "aws:sqs/queue:Queue": handler })).toThrow(
    "Two local services handle aws:sqs/queue:Queue; only one may.",
  );
});
