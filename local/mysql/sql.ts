/** Quotes text for SQL statements that accept no placeholders (accounts, grants). */
import { escapeId, escape as escapeValue } from "mysql2";

/** @returns a string literal */
export function quote(value: string): string {
  return escapeValue(value);
}

/** @returns a quoted identifier; a dot stays part of the name */
export function identifier(name: string): string {
  return escapeId(name, true);
}

/** @returns `'user'@'host'` */
export function account(user: string, host: string): string {
  return `${quote(user)}@${quote(host)}`;
}
