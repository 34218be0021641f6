// The least that a registration needs: the function's own statement, prepared on one open connection with TLS, in a
// separate process. Receives { count } on the IPC channel and sends the duration of each INSERT (ms).
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
      const startedAt = performance.now();
      await statement.execute([sub, `${sub}@example.com`]);
      times.push(performance.now() - startedAt);
    }
    process.send(times);
  });
  process.on("disconnect", () => process.exit());
  process.send("ready");
}

main();
