"use strict";

require("../cli/bootstrap.cjs")(require, "./start/main.ts");
