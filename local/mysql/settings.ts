/** Options of the server that are the same for every data folder and port. */

/**
 * RDS's settings that a program can notice (UTC, utf8mb4, no X protocol), and settings with which the server starts
 * quickly and uses little memory on a laptop. A version that does not have an option ignores it because of `loose-`.
 * Durability has MySQL's defaults, as on RDS: a commit is on disk.
 */
export const settings: readonly string[] = [
  "--default-time-zone=+00:00",
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_0900_ai_ci",
  "--loose-mysqlx=OFF",
  "--skip-log-bin",
  // No statement of this project reads or writes files through the server.
  "--secure-file-priv=NULL",
  "--performance-schema=OFF", // as on RDS's smallest instance classes
  "--innodb-buffer-pool-size=64M",
  "--loose-innodb-redo-log-capacity=32M",
  "--loose-auto-generate-certs=OFF", // the project has its own certificate
  // mysqld refuses to run as root without this option; containers often have no other user.
  ...(process.getuid?.() === 0 ? ["--user=root"] : []),
];
