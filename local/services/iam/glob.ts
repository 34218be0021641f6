/**
 * Whether a text matches a pattern of IAM: `*` matches any number of characters, `?` exactly one.
 * Takes at most pattern length × text length steps, because an untrusted caller may choose the text (an object's key).
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let afterStar = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      afterStar = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++afterStar;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/**
 * Whether an ARN matches a pattern, each of the six parts separately, as `ArnLike` and `Resource` do: a wildcard
 * matches no colon, except in the last part. The pattern `*` matches everything.
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === "*") return true;
  const patterns = arnParts(pattern);
  const parts = arnParts(arn);
  return patterns !== undefined && parts !== undefined && patterns.every((one, i) => matchesGlob(one, parts[i]!));
}

/** The six parts of an ARN (the last keeps its colons); undefined if the text is not an ARN. */
export function arnParts(arn: string): string[] | undefined {
  const parts = arn.split(":");
  if (parts.length < 6 || parts[0] !== "arn") return undefined;
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}
