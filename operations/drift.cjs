"use strict";

require("../local/door.cjs")(require, "./drift/main.ts");
