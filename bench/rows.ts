/** The definition of a figure: its unit and its target. */
export interface Row {
  readonly unit: string;
  /** The target is an upper limit. A figure without a limit only explains others. */
  readonly atMost?: number;
  /** The target is a lower limit. */
  readonly atLeast?: number;
}

/** Every figure that a run must measure, with its target. */
export const rows = {
  "bare INSERT, prepared, open connection": { unit: "ms" },
  "empty function, warm": { unit: "ms" },
  "the same INSERT alone in a function, warm": { unit: "ms" },
  "sign-up, warm": { unit: "ms" },
  "naive function, warm": { unit: "ms" },
  "warm sign-up over the floor (bare INSERT + empty function)": { unit: "x", atMost: 1.15 },
  "warm sign-up over the same INSERT alone in a function": { unit: "x" },
  "naive over warm sign-up": { unit: "x", atLeast: 5 },
  "p99 over median, warm, 10,000 sign-ups": { unit: "x", atMost: 4 },
  "memory after 10,000 sign-ups, above the empty function": { unit: "MB", atMost: 30 },
  "memory, growth from sign-up 5,000 to 10,000": { unit: "MB", atMost: 2 },
  "archive, zipped": { unit: "kB", atMost: 400 },
  "cold start above an empty function": { unit: "ms", atMost: 45 },
  "of it the secret and the connection, beyond the same work done warm": { unit: "ms", atMost: 10 },
  "connections for 1,000 sign-ups in 50 containers": { unit: "", atMost: 50 },
  "sign-in of a user with a row": { unit: "statements", atMost: 1 },
  "sign-in of a user seen before in the container": { unit: "statements", atMost: 0 },
  "reconcile, users a second": { unit: "users/s", atLeast: 20_000 },
  "reconcile, memory for 200,000 users above that for 100,000": { unit: "MB", atMost: 10 },
  "sign-ups of this run without a row of their own": { unit: "rows", atMost: 0 },
  "evaluating the program, above one that imports @pulumi/aws": { unit: "s", atMost: 1.5 },
  "npm start to the proof, second start": { unit: "s", atMost: 5 },
  "gateway, upload of 1 MB, over a plain server that writes the file": { unit: "x", atMost: 2 },
} satisfies Record<string, Row>;

export type Name = keyof typeof rows;
