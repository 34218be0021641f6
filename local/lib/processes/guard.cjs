// Started by startGuarded.ts: `node guard.cjs GRACE_MILLISECONDS COMMAND ARGUMENTS…`
//
// Runs a command and ends it when this process's standard input closes. The operating system closes that pipe however
// the starter ends, SIGKILL included, so the command never outlives the starter. Writes events to file descriptor 3,
// one JSON object a line. Plain JavaScript, so that it starts in milliseconds and without a loader.
const { spawn } = require("node:child_process");
const { writeSync } = require("node:fs");

const [grace, command, ...args] = process.argv.slice(2);

function emit(event) {
  try {
    writeSync(3, `${JSON.stringify(event)}\n`);
  } catch {
    // The starter has ended and closed the pipe.
  }
}

const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
child.on("spawn", () => emit({ pid: child.pid }));
child.on("error", (error) => {
  if (child.pid !== undefined) return;
  emit({ error: error.message });
  process.exit(127);
});
child.on("exit", (code, signal) => {
  emit({ code, signal });
  process.exit(code ?? 1);
});

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), Number(grace));
}

process.stdin.on("end", end);
process.stdin.on("error", end);
process.stdin.resume();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
