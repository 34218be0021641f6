/**
 * A proxy that implements the part of MySQL's protocol that it needs to terminate the client's TLS with this project's
 * certificate, and opens its own TLS connection to the server. It is used for a server whose own certificate cannot be
 * verified, and for RDS Proxy.
 *
 * A connection begins with the server's greeting; a client that uses TLS answers with a short SSLRequest and then
 * starts TLS on the same connection; everything else is passed through. The packet numbers of both sides stay the same,
 * because each packet is forwarded with its number.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
import { readFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { CommandError } from "../../cli/commandError";
import type { Certificates } from "../lib/certificates";

export interface TlsProxyOptions {
  /** Port on 127.0.0.1 to listen on. */
  readonly port: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly certificates: Certificates;
  /** Refuses connections before they reach the server. @default none is refused */
  readonly gate?: Gate;
}

/** Decides which connections reach the server. Each method returns the reason for a refusal, or undefined. */
export interface Gate {
  /** Whether all connections are refused. */
  closed(): Refusal | undefined;
  /** Whether this user is refused; the server checks the password. */
  refuses(user: string): Promise<Refusal | undefined>;
}

/** An error in MySQL's form: number, SQL state, text. */
export interface Refusal {
  readonly number: number;
  readonly state: string;
  readonly text: string;
}

export interface TlsProxy {
  /** Sets whether clients without TLS are refused from now on, as with `require_secure_transport`. */
  requireSecureTransport(required: boolean): void;
  /** Ends all connections; safe to call twice. */
  close(): Promise<void>;
}

const sslRequestLength = 32;
const clientSslFlag = 0x0800;
const handshakeMilliseconds = 10_000;
/** Bytes before the user's name in a client's answer: packet header, flags, packet size, character set, filler. */
const beforeUser = 4 + 32;

/** MySQL's own error ER_SECURE_TRANSPORT_REQUIRED. */
const insecure: Refusal = {
  number: 3159,
  state: "HY000",
  text: "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
};

/** @throws CommandError where the port is taken */
export async function startTlsProxy({ port, target, certificates, gate }: TlsProxyOptions): Promise<TlsProxy> {
  const key = await readFile(certificates.keyFile);
  const cert = await readFile(certificates.certFile);
  const sockets = new Set<Socket>();
  let required = false;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()); // The client notices the broken connection itself.
    socket.on("close", () => sockets.delete(socket));
    return socket.setNoDelay(true);
  };
  const serve = async (client: Socket, server: Socket) => {
    client.write(await readPacket(server));
    const answer = await readPacket(client);
    if (isSslRequest(answer)) {
      server.write(answer);
      const inner = track(new TLSSocket(client, { isServer: true, key, cert }));
      const outer = track(connectTls({ socket: server, rejectUnauthorized: false }));
      if (gate) await admit(gate, await readPacket(inner), inner, outer);
      else join(inner, outer);
    } else if (required) {
      refuse(client, server, answer, insecure);
    } else if (gate) {
      await admit(gate, answer, client, server);
    } else {
      server.write(answer);
      join(client, server);
    }
  };

  const listener = createServer((client) => {
    track(client);
    const closed = gate?.closed();
    if (closed) {
      client.end(errorPacket(0, closed));
      return;
    }
    const server = track(connect(target));
    join(client, server, { pipe: false });
    serve(client, server).catch(() => {
      client.destroy();
      server.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", (error) =>
      reject(new CommandError(`MySQL's port ${port} cannot be used: ${error.message}`)),
    );
    listener.listen(port, "127.0.0.1", resolve);
  });
  return {
    requireSecureTransport: (value) => {
      required = value;
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Forwards a client's answer to the greeting, unless its user is refused. */
async function admit(gate: Gate, answer: Buffer, client: Socket, server: Socket): Promise<void> {
  const end = answer.indexOf(0, beforeUser);
  const refusal = await gate.refuses(answer.toString("utf8", beforeUser, end < 0 ? undefined : end));
  if (refusal) {
    refuse(client, server, answer, refusal);
  } else {
    server.write(answer);
    join(client, server);
  }
}

function refuse(client: Socket, server: Socket, answer: Buffer, refusal: Refusal): void {
  client.end(errorPacket((answer[3] ?? 0) + 1, refusal));
  server.destroy();
}

/** Closes each side when the other one closes. */
function join(a: Socket, b: Socket, { pipe } = { pipe: true }): void {
  if (pipe) {
    a.pipe(b);
    b.pipe(a);
  }
  a.on("close", () => b.destroy());
  b.on("close", () => a.destroy());
}

/** Reads exactly one packet (3 bytes of length, its number, the payload) and leaves the bytes after it unread. */
function readPacket(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error("no handshake")), handshakeMilliseconds);
    const finish = (result: Buffer | Error) => {
      clearTimeout(timer);
      socket.off("readable", read).off("close", closed);
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const closed = () => finish(new Error("closed"));
    let header: Buffer | null = null;
    const read = () => {
      header ??= socket.read(4);
      if (header === null) return;
      const payload: Buffer | null = socket.read(header.readUIntLE(0, 3));
      if (payload !== null) finish(Buffer.concat([header, payload]));
    };
    socket.on("readable", read).on("close", closed);
    read();
  });
}

function isSslRequest(packet: Buffer): boolean {
  return packet.length === 4 + sslRequestLength && (packet.readUInt16LE(4) & clientSslFlag) !== 0;
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html */
function errorPacket(number: number, { number: code, state, text }: Refusal): Buffer {
  const payload = Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(`#${state}${text}`)]);
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = number;
  return Buffer.concat([header, payload]);
}
