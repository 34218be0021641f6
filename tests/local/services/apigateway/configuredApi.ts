/** The documented API with other settings. One runs at a time: `api`. */
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { exchange, type Reply } from "../s3/exchange";
import { put } from "../s3/store";
import { bucket, type Options, startDocumented } from "./documentedApi";

export let api: Awaited<ReturnType<typeof startDocumented>>;

/** Ends the API that was started last. */
export async function end(): Promise<void> {
  await api.close();
  api.context.remove();
}

/** Starts the documented API with these options. */
export async function startWith(options: Options): Promise<void> {
  api = await startDocumented(options);
}

type Change = Record<string, (inputs: Record<string, any>) => Record<string, any> | null>;

/** Starts the documented API with some resources changed: type's last word and name → change. */
export async function start(changes: Change, options: Options = {}): Promise<void> {
  const used = new Set<string>();
  await startWith({
    ...options,
    change: (type, name, inputs) => {
      const key = `${type.split(":").at(-1)} ${name}`;
      used.add(key);
      return changes[key] ? changes[key](inputs) : inputs;
    },
  });
  expect([...used]).toEqual(expect.arrayContaining(Object.keys(changes)));
}

/** A change that sets these inputs. */
export const set = (more: Record<string, unknown>) => (inputs: Record<string, any>) => ({ ...inputs, ...more });

export const png = randomBytes(1000);
export const send = (method: string, key: string, headers: Record<string, string> = {}, body?: Buffer | string) =>
  exchange(api.url, `/dev/${bucket}/${key}`, {
    method,
    headers: { authorization: api.users.access(), ...headers },
    body,
  });
export const putPng = (key = "a.png") => send("PUT", key, { "content-type": "image/png" }, png);
/** Stores an object directly in S3, as the API's role. */
export const putByRole = (key: string, body: Buffer) =>
  put(api.store, bucket, key, body, { "content-type": "image/png" });
export const message = ({ status, text }: Reply) => [status, JSON.parse(text).message];
