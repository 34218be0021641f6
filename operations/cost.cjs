"use strict";

require("../local/door.cjs")(require, "./cost/main.ts");
