/** Whether there is a process with this id, of any user. */
export function isRunning(pid: number): boolean {
  return ["own", "another's"].includes(processWith(pid));
}

/** Whether there is a process with this id that the current user started, and may therefore end. */
export function isOwn(pid: number): boolean {
  return processWith(pid) === "own";
}

function processWith(pid: number): "own" | "another's" | "none" {
  try {
    process.kill(pid, 0);
    return "own";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "another's" : "none";
  }
}
