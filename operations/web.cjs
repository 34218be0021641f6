"use strict";

require("../cli/bootstrap.cjs")(require, "./web/main.ts");
