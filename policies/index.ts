import { PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { policiesFor } from "./pack";

// The engine runs this file with each preview and update, and passes project and stack.
new PolicyPack("ecommerce", {
  description: "Rules for every stack of the back end",
  policies: policiesFor({ project: pulumi.getProject(), stack: pulumi.getStack() }),
});
