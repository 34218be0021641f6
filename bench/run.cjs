"use strict";

require("../local/door.cjs")(require, "./main.ts");
