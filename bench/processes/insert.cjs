// The floor of a registration: the function's own statement, prepared on one open connection with TLS, in a process of
// its own. Told { count } on the channel, answers how long each INSERT took (ms).
"use strict";
const { randomUUID } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createConnection } = require("mysql2/promise");

const sql = "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, UTC_TIMESTAMP())";

async function main() {
  const { caFile, ...server } = JSON.parse(process.env.BENCH_MYSQL);
  const ssl = { ca: readFileSync(caFile, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ ...server, ssl });
  const statement = await connection.prepare(sql);
  process.on("message", async ({ count }) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const sub = randomUUID();
      const begun = performance.now();
      await statement.execute([sub, `${sub}@example.com`]);
      times.push(performance.now() - begun);
    }
    process.send(times);
  });
  process.on("disconnect", () => process.exit());
  process.send("ready");
}

main();
