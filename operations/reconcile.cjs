"use strict";

require("../cli/bootstrap.cjs")(require, "./reconcile/main.ts");
