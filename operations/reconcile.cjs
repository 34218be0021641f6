"use strict";

require("../local/door.cjs")(require, "./reconcile/main.ts");
