import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CreateHandler } from "../../../host/resources";
import type { DataFolder } from "../../lib/dataFolder";

const fileName = "random.json";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const specials = "!@#$%&*()-_=+[]{}<>:?";

/** Passwords of the random provider: generated once in the requested length, and the same on every start. */
export function randomPasswords(folder: DataFolder): Record<string, CreateHandler> {
  const passwords = read(join(folder.path, fileName));
  return {
    "random:index/randomPassword:RandomPassword": ({ name, inputs }) => {
      const length = Number(inputs.length);
      const alphabet = inputs.special === false ? letters : letters + String(inputs.overrideSpecial ?? specials);
      if (passwords[name]?.length !== length) {
        passwords[name] = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
        folder.write(fileName, passwords);
      }
      return { id: "none", outputs: { result: passwords[name] } };
    },
  };
}

function read(file: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
