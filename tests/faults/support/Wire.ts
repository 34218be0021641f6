/** A network between two programs. Tests can cut it, delay it, limit its rate or make it silent while it is in use. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../../../cli/ports";

/** The addresses at the far end of a wire. */
export interface FarEnd {
  /** Where the target listens. */
  readonly host: string;
  /** Where the wire's connections come from. @default as the system chooses */
  readonly localAddress?: string;
}

export class Wire {
  /** Delay (ms) of each piece of data, in each direction. */
  delay = 0;
  /** Bytes per second, in each direction of each connection. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Drops all data, and neither end gets an error, as with a firewall that has forgotten the connection. */
  silent = false;
  /** Accepts new connections and closes them before any data, as a proxy does whose target is unavailable. */
  hangsUp = false;
  /** Resets a new connection once the client has sent more bytes than this, as if the server died in the handshake. */
  resetsAfter = Number.POSITIVE_INFINITY;
  port = 0;
  /** Connections accepted so far. */
  opened = 0;
  /** Pieces of data dropped so far while the wire was silent. */
  lost = 0;
  readonly #target: FarEnd & { readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(target: FarEnd & { readonly port: number }) {
    this.#target = target;
  }

  /**
   * @param port where the target listens
   * @param end on which address, @default 127.0.0.1
   */
  static async to(port: number, end: FarEnd = { host: "127.0.0.1" }): Promise<Wire> {
    const wire = new Wire({ ...end, port });
    // A port that the system chooses could be taken by another program while the wire is cut.
    wire.port = await freePort();
    await wire.mend();
    return wire;
  }

  /** Resets every connection; accepts new ones. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Resets every connection, and refuses new ones until `mend()`. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    this.reset();
    if (server) await once(server, "close");
  }

  /** Accepts connections again, on the same port. */
  async mend(): Promise<void> {
    this.#server = createServer({ noDelay: true }, (near) => this.#join(near));
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  #join(near: Socket): void {
    this.opened++;
    if (this.hangsUp) {
      near.destroy();
      return;
    }
    const allowed = this.resetsAfter;
    near.on("data", () => {
      if (near.bytesRead > allowed) near.resetAndDestroy();
    });
    const far = connect({ ...this.#target, noDelay: true });
    this.#carry(near, far);
    this.#carry(far, near);
  }

  #carry(from: Socket, to: Socket): void {
    // A connection that was opened or used while the wire was silent stays silent.
    let dead = this.silent;
    let arrives = 0;
    this.#sockets.add(from);
    from.on("data", (data: Buffer) => {
      dead ||= this.silent;
      if (dead) {
        this.lost++;
        return;
      }
      arrives = Math.max(performance.now() + this.delay, arrives) + (1000 * data.length) / this.bytesPerSecond;
      const wait = arrives - performance.now();
      if (wait < 1) to.write(data);
      else setTimeout(() => to.destroyed || to.write(data), wait);
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      // After the data that is still under way.
      const wait = arrives - performance.now();
      if (wait < 1) to.destroy();
      else setTimeout(() => to.destroy(), wait);
    });
  }
}
