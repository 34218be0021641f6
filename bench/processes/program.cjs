// Evaluates the project's program against mocks that return at once, and prints how many resources it registered.
"use strict";
require("tsx/cjs");
const { recordProgram } = require("../../tests/support/program.ts");

recordProgram().then(({ resources }) => process.stdout.write(String(resources.length)));
