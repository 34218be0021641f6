import type { Conflict, Finding, Tally, Unusable } from "./reconcile";

/** How a run ended. */
export type End = "finished" | "stopped" | "failed";

/** The last line of the JSON output, and the table of the text output. */
export interface Summary extends Tally {
  readonly dryRun: boolean;
  readonly end: End;
  /** A code, where the run failed. */
  readonly error?: string;
  readonly seconds: number;
}

/** Writes one line to standard output. */
export type Print = (line: string) => void;

/** Writes the findings and the summary. */
export interface Report {
  found(finding: Finding): void;
  summary(summary: Summary): void;
}

/** For machines: one JSON object a line, each finding at once and the summary last. */
export function jsonReport(print: Print): Report {
  return {
    found(finding) {
      print(JSON.stringify(plain(finding)));
    },
    summary(summary) {
      print(JSON.stringify({ type: "summary", ...summary }));
    },
  };
}

/** For people: the accounts about which a person must decide, then the counts. */
export function textReport(print: Print): Report {
  return {
    found(finding) {
      if (finding.type === "conflict") {
        print(conflictText(finding));
      } else if (finding.type === "unusable") {
        print(unusableText(finding));
      }
    },
    summary(summary) {
      print(summaryText(summary));
    },
  };
}

/**
 * An address in a form that its owner recognizes and that may be in a log: `j…@example.com`. Cognito has the full
 * address under the `sub`.
 */
export function masked(email: string): string {
  const at = email.lastIndexOf("@");
  const [first = ""] = email;
  return `${first}…${email.slice(at)}`.replace(/[^\x21-\x7e…]/gu, "?");
}

function plain(finding: Finding): object {
  switch (finding.type) {
    case "registered":
      return finding;
    case "unusable":
      return { type: finding.type, username: finding.username, code: finding.fault.code, detail: finding.fault.detail };
    case "conflict": {
      const { user, owner } = finding;
      const owned = owner && { sub: owner.sub, email: masked(owner.email), account: owner.account };
      return { type: finding.type, sub: user.sub, email: masked(user.email), owner: owned ?? null };
    }
  }
}

function conflictText({ user, owner }: Conflict): string {
  const head = `conflict: ${user.sub} has no row, since the address ${masked(user.email)}`;
  if (owner === undefined) {
    return `${head} was in another row a moment ago; run this again`;
  }
  const spelled = owner.email === user.email ? "" : `, spelled ${masked(owner.email)}`;
  return `${head} is in the row of ${owner.sub}${spelled}, ${ownerText[owner.account]}`;
}

const ownerText = {
  deleted: "whose account is deleted",
  sameAddress: "whose account has that address, too",
  otherAddress: "whose account has another address today",
} as const;

function unusableText({ username, fault }: Unusable): string {
  return `unusable: account ${username} has no row: ${fault.detail} (${fault.code})`;
}

const endText = {
  finished: (seconds: string) => `Done in ${seconds}.`,
  stopped: (seconds: string) => `Stopped after ${seconds}, before the end. What was done stays; run it again to go on.`,
  failed: (seconds: string) => `Failed after ${seconds}, before the end. What was done stays; run it again to go on.`,
} as const;

function summaryText({ dryRun, end, seconds, ...tally }: Summary): string {
  const rows: [string, number][] = [
    ["accounts in the user pool", tally.accounts],
    ["not confirmed, need no row", tally.unconfirmed],
    ["had a row", tally.present],
    [dryRun ? "would be registered (dry run)" : "registered", tally.registered],
    ["conflicts, for a person to decide", tally.conflicts],
    ["unusable, for a person to correct", tally.unusable],
  ];
  const table = rows.map(([what, count]) => `  ${what.padEnd(36)}${count.toLocaleString("en").padStart(11)}`);
  return [...table, endText[end](`${seconds.toFixed(1)} s`)].join("\n");
}
