import type { ProgramContext } from "../config";
import { Network } from "./Network";

/** The VPC in which the database, the functions and the secret's endpoint reach each other. */
export function createNetwork({ region, settings }: ProgramContext): Network {
  return new Network("network", {
    region,
    cidr: settings["network.cidr"],
    deployerCidrs: settings["database.deployerCidrs"],
    proxy: settings["database.proxy"],
    protect: settings["data.protect"],
  });
}
