"use strict";

require("../cli/bootstrap.cjs")(require, "./main.ts");
