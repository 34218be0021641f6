"use strict";

require("./door.cjs")(require, "./invoke.ts");
