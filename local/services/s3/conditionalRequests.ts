import { S3Error } from "./answers";

type Headers = Readonly<Record<string, string | undefined>>;

/** The properties of an object that conditions and ranges refer to. */
export interface Version {
  /** With its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  /** Bytes. */
  readonly size: number;
}

/** The bytes of an object that are sent; both ends are inclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether the conditions of a GET or HEAD are met, with the precedence that S3 documents: `If-Match` over
 * `If-Unmodified-Since`, `If-None-Match` over `If-Modified-Since`. An invalid date is ignored.
 * @returns false for "304 Not Modified"
 * @throws S3Error 412
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function shouldSend(version: Version, headers: Headers): boolean {
  const seconds = Math.floor(version.lastModified / 1000) * 1000;
  const ifMatch = headers["if-match"];
  const unmodifiedSince = date(headers["if-unmodified-since"]);
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, version.etag)) throw preconditionFailed("If-Match");
  } else if (unmodifiedSince !== undefined && seconds > unmodifiedSince) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  const ifNoneMatch = headers["if-none-match"];
  const modifiedSince = date(headers["if-modified-since"]);
  if (ifNoneMatch !== undefined) return !namesEtag(ifNoneMatch, version.etag);
  return modifiedSince === undefined || seconds > modifiedSince;
}

/**
 * The requested range; undefined if the whole object is to be sent. S3 also sends the whole object if several ranges
 * are requested, and if it cannot parse the range.
 * @throws S3Error 416 for a range that is outside the object
 */
export function rangeOf(version: Version, headers: Headers): Span | undefined {
  const range = headers.range;
  if (range === undefined || !rangeStillHolds(version, headers["if-range"])) return undefined;
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(range.trim()) ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  const last = version.size - 1;
  if (from === "") {
    const length = Number(to);
    if (length === 0 || version.size === 0) throw invalidRange(version, range);
    return { start: Math.max(0, version.size - length), end: last };
  }
  const start = Number(from);
  const end = to === "" ? last : Math.min(Number(to), last);
  if (to !== "" && Number(to) < start) return undefined;
  if (start > last) throw invalidRange(version, range);
  return { start, end };
}

export function preconditionFailed(condition: string): S3Error {
  const message = "At least one of the pre-conditions you specified did not hold";
  return new S3Error(412, "PreconditionFailed", message, { Condition: condition });
}

function rangeStillHolds(version: Version, ifRange: string | undefined): boolean {
  if (ifRange === undefined) return true;
  const since = date(ifRange);
  return since === undefined
    ? namesEtag(ifRange, version.etag)
    : Math.floor(version.lastModified / 1000) * 1000 <= since;
}

function invalidRange(version: Version, range: string): S3Error {
  return new S3Error(
    416,
    "InvalidRange",
    "The requested range is not satisfiable",
    { RangeRequested: range, ActualObjectSize: String(version.size) },
    { "content-range": `bytes */${version.size}` },
  );
}

/** A list of entity tags; S3 takes them with and without quotes. */
function namesEtag(list: string, etag: string): boolean {
  const bare = (tag: string) => tag.trim().replace(/^W\//, "").replace(/^"|"$/g, "");
  return list.split(",").some((tag) => tag.trim() === "*" || bare(tag) === bare(etag));
}

function date(value: string | undefined): number | undefined {
  // Only HTTP dates are accepted: Date.parse would take a number, for example an entity tag, for a year.
  if (value === undefined || !/GMT$/.test(value.trim())) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
