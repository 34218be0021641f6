import type { Surroundings } from "../config";
import { Network } from "./Network";

/** The VPC in which the database, the functions and the secret's endpoint reach each other. */
export function createNetwork({ region, settings }: Surroundings): Network {
  return new Network("network", {
    region,
    cidr: settings["network.cidr"],
    deployerCidrs: settings["database.deployerCidrs"],
    proxy: settings["database.proxy"],
    protect: settings["data.protect"],
  });
}
