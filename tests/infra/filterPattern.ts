/**
 * The subset of CloudWatch's filter patterns for JSON log events that this program uses: `{ … }` with `&&`, `||` and
 * parentheses over `$.a.b = "text"`, `$.a.b != "text"` (with `*` for any characters) and `$.a.b NOT EXISTS`.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
type Condition = (event: unknown) => boolean;

/**
 * @returns whether a log event matches
 * @throws Error if the pattern is not in this subset
 */
export function filterPattern(pattern: string): (line: string) => boolean {
  const tokens = pattern.match(/\$[\w.]+|"[^"]*"|&&|\|\||!=|[=(){}]|[A-Z]+|\S/g) ?? [];
  let at = 0;
  const take = (expected?: string | RegExp): string => {
    const token = tokens[at++] ?? "the end";
    const fits = expected instanceof RegExp ? expected.test(token) : expected === undefined || token === expected;
    if (!fits) throw new Error(`Filter pattern ${pattern}: expected ${expected}, got ${token}`);
    return token;
  };

  const either = (): Condition => {
    const parts = [both()];
    for (; tokens[at] === "||"; parts.push(both())) take();
    return (event) => parts.some((part) => part(event));
  };
  const both = (): Condition => {
    const parts = [one()];
    for (; tokens[at] === "&&"; parts.push(one())) take();
    return (event) => parts.every((part) => part(event));
  };
  const one = (): Condition => {
    if (tokens[at] === "(") {
      take();
      const inner = either();
      take(")");
      return inner;
    }
    const path = take(/^\$\.[\w.]+$/)
      .slice(2)
      .split(".");
    const found = (event: unknown) => path.reduce<any>((value, key) => value?.[key], event);
    if (tokens[at] === "NOT") {
      take();
      take("EXISTS");
      return (event) => found(event) === undefined;
    }
    const equal = take(/^!?=$/) === "=";
    const text = take(/^"[^"]*"$/).slice(1, -1);
    const expected = new RegExp(`^${text.split("*").map(literally).join(".*")}$`, "s");
    // A missing field is neither equal nor different.
    return (event) => found(event) !== undefined && expected.test(String(found(event))) === equal;
  };

  take("{");
  const condition = either();
  take("}");
  if (at !== tokens.length) throw new Error(`Filter pattern ${pattern}: expected nothing after the closing brace`);
  return (line) => {
    try {
      return condition(JSON.parse(line));
    } catch {
      return false; // Not JSON.
    }
  };
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
