"use strict";

require("../cli/bootstrap.cjs")(require, "./start/invoke.ts");
