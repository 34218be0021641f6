/** Pure rules for configuration values: each returns what is allowed if the value breaks it. */
import { isIP } from "node:net";

/** A callback or sign-out URL as Cognito accepts it: https, or http on localhost; no fragment. */
export function callbackUrl(value: string): string | undefined {
  const allowed = `https URLs, or http://localhost ones, without a fragment (got ${JSON.stringify(value)})`;
  if (!URL.canParse(value)) return allowed;
  const url = new URL(value);
  const secure = url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "localhost");
  return secure && url.hash === "" && !value.endsWith("#") ? undefined : allowed;
}

/** The prefix of a Cognito domain (CreateUserPoolDomain). */
export function domainPrefix(value: string): string | undefined {
  const wellFormed = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value);
  return wellFormed && !/aws|amazon|cognito/.test(value)
    ? undefined
    : "1 to 63 lowercase letters, digits and inner hyphens, without the words aws, amazon and cognito";
}

/** The name of a general purpose bucket (S3 user guide, "Bucket naming rules"). */
export function objectBucketName(value: string): string | undefined {
  const wellFormed = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value) && isIP(value) === 0;
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$/.test(value);
  return wellFormed && !reserved
    ? undefined
    : "3 to 63 lowercase letters, digits and inner hyphens, without S3's reserved prefixes and suffixes";
}

/** The name of an API stage (CreateStage). */
export function stageName(value: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,128}$/.test(value) ? undefined : "1 to 128 letters, digits, hyphens and underscores";
}

/** A value for single quotes in a mapping of API Gateway: no quote, no blank, no control character. */
export function corsOrigin(value: string): string | undefined {
  return /^(\*|https?:\/\/[A-Za-z0-9.:[\]-]+)$/.test(value)
    ? undefined
    : "* or one origin such as https://shop.example.com, without a path";
}

/** The recipient of mails about alarms: an address that SNS can mail to, or the word `none`. */
export function alarmAddress(value: string): string | undefined {
  const wellFormed = value.length <= 254 && /^[\w.!#$%&'*+/=?^`{|}~-]+@([a-z0-9-]+\.)+[a-z0-9-]+$/i.test(value);
  return wellFormed || value === "none" ? undefined : "an address such as oncall@example.com, or none";
}

interface Range {
  readonly address: string;
  readonly bits: number;
}

function parseRange(value: string): Range | undefined {
  const [address, bits, ...rest] = value.split("/");
  if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128) ? { address, bits: Number(bits) } : undefined;
}

/** An IPv4 range in CIDR notation whose address has no bits beyond the prefix (EC2 refuses such). */
export function cidr(value: string): string | undefined {
  const allowed = `IPv4 ranges in CIDR notation such as 198.51.100.0/24 (got ${JSON.stringify(value)})`;
  const range = parseRange(value);
  if (!range) return allowed;
  if (isIP(range.address) === 6) return `${allowed}; the VPC has no IPv6, so no connection comes from such an address`;
  if ((ipv4(range.address) & hostMask(range.bits)) !== 0) {
    return `${allowed}; the address has bits beyond /${range.bits}`;
  }
  return undefined;
}

/** Whether the range contains every address. */
export const isEveryAddress = (value: string) => parseRange(value)?.bits === 0;

/** An IPv4 range for a VPC, large enough for four subnets of at least 16 addresses. */
export function privateCidr(value: string): string | undefined {
  const range = parseRange(value);
  const fits = range && range.bits >= 16 && range.bits <= 24 && !cidr(value);
  return fits ? undefined : "an IPv4 range from /16 to /24 such as 10.20.0.0/16";
}

/**
 * Cuts an IPv4 range into equal parts.
 *
 * @param range CIDR range, for example 10.20.0.0/16
 * @param bits how many bits longer each part's prefix is: 4 gives 16 parts
 * @param count how many of the parts to return, from the lowest
 */
export function splitRange(range: string, bits: number, count: number): string[] {
  const { address, bits: outer } = parseRange(range)!;
  const size = 2 ** (32 - outer - bits);
  const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  return Array.from({ length: count }, (_, index) => `${text(ipv4(address) + index * size)}/${outer + bits}`);
}

const ipv4 = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const hostMask = (bits: number) => (bits === 0 ? -1 : 2 ** (32 - bits) - 1);
