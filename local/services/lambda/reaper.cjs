// Started by reaper.ts, which see. Keeps a list of processes, told on standard input ("+PID", "-PID", one a line), and
// ends them with their groups when that closes: the operating system closes it however the starter ends.
const { createInterface } = require("node:readline");

const pids = new Set();
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => (line[0] === "+" ? pids.add(Number(line.slice(1))) : pids.delete(Number(line.slice(1)))));
lines.on("close", () => {
  for (const pid of pids) {
    try {
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  process.exit();
});
