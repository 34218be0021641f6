"use strict";

require("./door.cjs")(require, "./web/command.ts");
