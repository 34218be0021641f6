import { PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { policiesFor } from "./pack";

// The engine starts this file beside each preview and update, and tells it the stack.
new PolicyPack("ecommerce", {
  description: "What every stack of the back end must hold to",
  policies: policiesFor({ project: pulumi.getProject(), stack: pulumi.getStack() }),
});
