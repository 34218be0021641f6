// The simplest server for uploads: Node's own HTTP server, which writes each body into a file. Prints its port.
"use strict";
const { createWriteStream } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { pipeline } = require("node:stream/promises");

let number = 0;
const server = createServer(async (request, response) => {
  await pipeline(request, createWriteStream(join(process.env.BENCH_FOLDER, `upload-${number++ % 8}`)));
  response.end();
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
// Ends when the process that started it ends, for any reason.
process.stdin.on("close", () => process.exit()).resume();
