/** Replaces the random provider, of which the program uses only the passwords. */
import { randomInt } from "node:crypto";
import { changedKeys, type Provider, unknown } from "./provider";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function randomProvider(): Provider {
  return {
    version: require("@pulumi/random/package.json").version,
    configure() {},
    check: (_, inputs) => inputs,
    diff(_, oldInputs, inputs) {
      const changed = changedKeys(oldInputs, inputs);
      return { changed, replaces: changed, deleteFirst: false };
    },
    async create({ type }, inputs, preview) {
      if (type !== "random:index/randomPassword:RandomPassword") throw new Error(`${type} is not supported`);
      const result = Array.from({ length: inputs.length }, () => letters[randomInt(letters.length)]).join("");
      const outputs = preview ? { result: unknown, bcryptHash: unknown } : { result, bcryptHash: "" };
      return { id: preview ? "" : "none", outputs: { ...inputs, ...outputs } };
    },
    update: async (_, __, old) => old.outputs,
    read: async (_, __, outputs) => outputs,
    inputsOf: (_subject, _id, outputs) => outputs,
    async delete() {},
    invoke(token) {
      throw new Error(`${token} is not supported`);
    },
  };
}
