"use strict";

require("./door.cjs")(require, "./main.ts");
