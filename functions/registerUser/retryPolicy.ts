import { codeOf } from "../shared/loggedError";

/** What to do after an error of the driver. */
export type RetryPolicy =
  /** Repeat the work on the same connection: another client was in conflict with it. */
  | "repeat"
  /** Repeat the work on a new connection: this one is lost, or its server cannot do the work. */
  | "reconnect"
  /**
   * Repeat the work on a new connection, and read the secret once more: there is no server at the host and port that
   * the secret names, so it may have moved.
   */
  | "relocate"
  /** Read the secret again: MySQL refused its user and password. */
  | "readSecret"
  /** Fail, and send nothing more to this server. */
  | "distrust"
  /** Fail. */
  | "none";

/**
 * Error codes of the MySQL server, the driver, Node and this function, and error numbers for which there is no code.
 */
const POLICIES: ReadonlyMap<unknown, RetryPolicy> = new Map<unknown, RetryPolicy>([
  ["ER_LOCK_DEADLOCK", "repeat"],
  ["ER_LOCK_WAIT_TIMEOUT", "repeat"],
  ["ER_LOCK_TABLE_FULL", "repeat"],
  ["ER_TOO_MANY_CONCURRENT_TRXS", "repeat"],
  // Other clients of the server have used up its prepared statements; a new connection would get none either.
  ["ER_MAX_PREPARED_STMT_COUNT_REACHED", "repeat"],

  // No connection is available at the moment.
  ["ER_CON_COUNT_ERROR", "reconnect"],
  ["ER_TOO_MANY_USER_CONNECTIONS", "reconnect"],
  ["ER_USER_LIMIT_REACHED", "reconnect"],
  // RDS Proxy's own error: it found no connection to the database within its time limit. The driver has no name for it.
  [9501, "reconnect"],
  // The server blocks this address after many broken handshakes. An operator has to lift the block, which may happen
  // while a person waits.
  ["ER_HOST_IS_BLOCKED", "reconnect"],
  ["ER_HANDSHAKE_ERROR", "reconnect"],
  // The server is short of memory or threads.
  ["ER_OUTOFMEMORY", "reconnect"],
  ["ER_OUT_OF_RESOURCES", "reconnect"],
  ["ER_CANT_CREATE_THREAD", "reconnect"],
  ["ER_ENGINE_OUT_OF_MEMORY", "reconnect"],
  // The DNS resolver did not answer, or failed to look the name up.
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

  // A fail-over: this server has become the reader, or is shutting down; the host name will lead to another server.
  ["ER_OPTION_PREVENTS_STATEMENT", "reconnect"],
  ["ER_READ_ONLY_MODE", "reconnect"],
  ["ER_INNODB_READ_ONLY", "reconnect"],
  ["ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION", "reconnect"],
  ["ER_SERVER_SHUTDOWN", "reconnect"],
  ["ER_NORMAL_SHUTDOWN", "reconnect"],
  ["ER_SERVER_OFFLINE_MODE", "reconnect"],
  ["ER_SERVER_ISNT_AVAILABLE", "reconnect"],

  // The connection is lost, or the statements that were prepared on it.
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

/** The retry policy for an error of the driver. */
export function retryPolicyOf(error: unknown): RetryPolicy {
  if (!(error instanceof Error)) {
    return "none";
  }
  const code = codeOf(error);
  const { fatal, syscall } = error as Error & Readonly<Record<string, unknown>>;
  if (code === undefined && fatal === true) {
    // The driver reports this if the connection was already closed when the statement was sent.
    return "reconnect";
  }
  const lost = syscall !== undefined || error.message.includes("disconnected before secure TLS connection");
  if (code === "HANDSHAKE_SSL_ERROR" && lost) {
    // The driver gives this code to every error that ends a TLS handshake, including a failure of the network. The
    // error of a reset connection names the system call.
    return "reconnect";
  }
  return POLICIES.get(code) ?? "none";
}
