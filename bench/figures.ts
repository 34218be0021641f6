import { type Name, type Row, rows } from "./rows";

/** One line of the result: the measured value, its target, and whether the target is met. */
export interface Figure {
  readonly figure: Name;
  readonly unit: string;
  readonly value: number;
  /** The upper or lower limit of the value, from the figure's row; null for a figure that only explains others. */
  readonly target: number | null;
  /** Null where there is no target. */
  readonly met: boolean | null;
  /** What the value was calculated from: medians and spreads. */
  readonly detail?: string;
}

/**
 * A figure of a run.
 * @param detail what the value was calculated from: medians and spreads
 * @throws Error for a value that is not a finite number, because it was not measured
 */
export function figureOf(name: Name, value: number, detail?: string): Figure {
  if (!Number.isFinite(value)) throw new Error(`${name} is ${value}; it was not measured.`);
  const { unit, atMost, atLeast }: Row = rows[name];
  const target = atMost ?? atLeast ?? null;
  const met = target === null ? null : atMost === undefined ? value >= target : value <= target;
  return { figure: name, unit, value, target, met, ...(detail === undefined ? {} : { detail }) };
}

/** @throws Error unless every row is among the figures, once */
export function checkComplete(figures: readonly Figure[]): void {
  for (const name of Object.keys(rows)) {
    const count = figures.filter(({ figure }) => figure === name).length;
    if (count !== 1) throw new Error(`"${name}" was measured ${count} times instead of once.`);
  }
}

/** Three significant digits; whole numbers from 1,000 on, with separators. */
export function readable(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

/** The figures as a table for the screen, with SHORT for each that does not meet its target. */
export function figureTable(figures: readonly Figure[]): string {
  return table(
    ["figure", "value", "to reach", "", "measured"],
    figures.map(({ figure, unit, value, target, met, detail }) => [
      figure,
      `${readable(value)} ${unit}`,
      target === null ? "" : readable(target),
      met === null ? "" : met ? "met" : "SHORT",
      detail ?? "",
    ]),
  );
}

/** The figures as a table for docs/performance.md, without the details. */
export function figureMarkdown(figures: readonly Figure[]): string {
  const lines = figures.map(({ figure, unit, value, target, met }) => [
    figure,
    `${readable(value)} ${unit}`.trim(),
    target === null ? "" : readable(target),
    met === null ? "" : met ? "met" : "**short**",
  ]);
  return markdown(["figure", "value", "to reach", ""], lines);
}

/** A table in Markdown. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Replaces the part of a text between its marks, `<!-- name -->` and `<!-- end of name -->`, each on a separate line.
 * @throws Error where a mark is missing
 */
export function replaced(text: string, name: string, by: string): string {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from)
    throw new Error(`The text has no lines "${open.trim()}" and "${close.trim()}", in that order.`);
  return `${text.slice(0, from + open.length)}\n${by}\n\n${text.slice(to)}`;
}

/** Columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
