// Started by reaper.ts. Reads a list of processes from standard input ("+PID" adds, "-PID" removes, one per line) and
// kills them with their groups when it closes: the operating system closes it when the parent ends for any reason.
const { createInterface } = require("node:readline");

const pids = new Set();
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => (line[0] === "+" ? pids.add(Number(line.slice(1))) : pids.delete(Number(line.slice(1)))));
lines.on("close", () => {
  for (const pid of pids) {
    try {
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
  process.exit();
});
