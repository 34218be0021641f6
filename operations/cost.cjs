"use strict";

require("../cli/bootstrap.cjs")(require, "./cost/main.ts");
