import { codeOf } from "../shared/loggedError";

/** What helps against a fault of the driver. */
export type RetryPolicy =
  /** The same work on the same connection: somebody else was in the way. */
  | "repeat"
  /** The same work on a new connection: this one is lost, or leads to a server that cannot do it. */
  | "reconnect"
  /**
   * The same work on a new connection. No server was found at the host and port that the secret names: it may have moved,
   * so the secret is read once more.
   */
  | "relocate"
  /** Another password. */
  | "readSecret"
  /** Nothing, and nothing more is said to this server. */
  | "distrust"
  /** Nothing. */
  | "none";

/** Codes of MySQL's server, of the driver, of Node and of this function, and numbers without a code, each with what helps. */
const POLICIES: ReadonlyMap<unknown, RetryPolicy> = new Map<unknown, RetryPolicy>([
  ["ER_LOCK_DEADLOCK", "repeat"],
  ["ER_LOCK_WAIT_TIMEOUT", "repeat"],
  ["ER_LOCK_TABLE_FULL", "repeat"],
  ["ER_TOO_MANY_CONCURRENT_TRXS", "repeat"],
  // Other clients of the server have used up its prepared statements; a new connection would get none either.
  ["ER_MAX_PREPARED_STMT_COUNT_REACHED", "repeat"],

  // No connection to be had just now.
  ["ER_CON_COUNT_ERROR", "reconnect"],
  ["ER_TOO_MANY_USER_CONNECTIONS", "reconnect"],
  ["ER_USER_LIMIT_REACHED", "reconnect"],
  // RDS Proxy's own: it found no connection to the database in its time. The driver knows no name for it.
  [9501, "reconnect"],
  // Broken handshakes from this address; somebody has to lift the block, and may do so while a person waits.
  ["ER_HOST_IS_BLOCKED", "reconnect"],
  ["ER_HANDSHAKE_ERROR", "reconnect"],
  // The server is short of memory or threads.
  ["ER_OUTOFMEMORY", "reconnect"],
  ["ER_OUT_OF_RESOURCES", "reconnect"],
  ["ER_CANT_CREATE_THREAD", "reconnect"],
  ["ER_ENGINE_OUT_OF_MEMORY", "reconnect"],
  // The resolver gave no answer, or an answer that says nothing about the name.
  ["EAI_AGAIN", "reconnect"],
  ["EAI_FAIL", "reconnect"],
  // This container is short of file descriptors, local ports or buffers.
  ["EMFILE", "reconnect"],
  ["ENFILE", "reconnect"],
  ["EADDRNOTAVAIL", "reconnect"],
  ["ENOBUFS", "reconnect"],

  // No server at this address, or no address. A host name is missing from the DNS for a moment while its record changes.
  ["ENOTFOUND", "relocate"],
  ["ECONNREFUSED", "relocate"],
  ["EHOSTUNREACH", "relocate"],
  ["ENETUNREACH", "relocate"],
  ["ETIMEDOUT", "relocate"],

  // A fail-over: this server has become the reader, or is going down; the host name will lead to another one.
  ["ER_OPTION_PREVENTS_STATEMENT", "reconnect"],
  ["ER_READ_ONLY_MODE", "reconnect"],
  ["ER_INNODB_READ_ONLY", "reconnect"],
  ["ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION", "reconnect"],
  ["ER_SERVER_SHUTDOWN", "reconnect"],
  ["ER_NORMAL_SHUTDOWN", "reconnect"],
  ["ER_SERVER_OFFLINE_MODE", "reconnect"],
  ["ER_SERVER_ISNT_AVAILABLE", "reconnect"],

  // The connection is gone, or what was prepared on it.
  ["ER_QUERY_INTERRUPTED", "reconnect"],
  ["ER_SESSION_WAS_KILLED", "reconnect"],
  ["ER_NET_READ_ERROR", "reconnect"],
  ["ER_NET_READ_INTERRUPTED", "reconnect"],
  ["ER_NET_ERROR_ON_WRITE", "reconnect"],
  ["ER_NET_WRITE_INTERRUPTED", "reconnect"],
  ["ER_CLIENT_INTERACTION_TIMEOUT", "reconnect"],
  ["ER_UNKNOWN_STMT_HANDLER", "reconnect"],
  ["ER_NEED_REPREPARE", "reconnect"],
  ["PROTOCOL_CONNECTION_LOST", "reconnect"],
  ["ECONNRESET", "reconnect"],
  ["ECONNABORTED", "reconnect"],
  ["EPIPE", "reconnect"],
  ["TIMED_OUT", "reconnect"],

  ["ER_ACCESS_DENIED_ERROR", "readSecret"],
  ["ER_ACCESS_DENIED_NO_PASSWORD_ERROR", "readSecret"],

  ["HANDSHAKE_SSL_ERROR", "distrust"],
  ["HANDSHAKE_NO_SSL_SUPPORT", "distrust"],
]);

/** What helps against an error of the driver. */
export function retryPolicyOf(error: unknown): RetryPolicy {
  if (!(error instanceof Error)) {
    return "none";
  }
  const code = codeOf(error);
  const { fatal, syscall } = error as Error & Readonly<Record<string, unknown>>;
  if (code === undefined && fatal === true) {
    // The driver's way of saying that the connection was already closed when it was given the statement.
    return "reconnect";
  }
  const lost = syscall !== undefined || error.message.includes("disconnected before secure TLS connection");
  if (code === "HANDSHAKE_SSL_ERROR" && lost) {
    // The driver calls everything that ends a TLS handshake so, a network that breaks down included: a reset has the
    // system call that met it.
    return "reconnect";
  }
  return POLICIES.get(code) ?? "none";
}
