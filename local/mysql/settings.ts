/** Options of the server that do not depend on where it runs. */

/**
 * What RDS sets and a program can notice (UTC, utf8mb4, no X protocol), and what makes a laptop's server start quickly
 * and stay small. `loose-` lets versions that do not know an option ignore it. Durability is left at MySQL's defaults,
 * which are RDS's: a commit is on disk.
 */
export const settings: readonly string[] = [
  "--default-time-zone=+00:00",
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_0900_ai_ci",
  "--loose-mysqlx=OFF",
  "--skip-log-bin",
  // Nobody here loads or writes files through the server.
  "--secure-file-priv=NULL",
  "--performance-schema=OFF", // as RDS has it on its smallest classes
  "--innodb-buffer-pool-size=64M",
  "--loose-innodb-redo-log-capacity=32M",
  "--loose-auto-generate-certs=OFF", // the certificate is ours
  // mysqld refuses to run as root unless it is told so; containers often have no other user.
  ...(process.getuid?.() === 0 ? ["--user=root"] : []),
];
