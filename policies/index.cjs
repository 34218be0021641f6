"use strict";

require("tsx/cjs");
require("./index.ts");
