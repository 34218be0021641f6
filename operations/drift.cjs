"use strict";

require("../cli/bootstrap.cjs")(require, "./drift/main.ts");
