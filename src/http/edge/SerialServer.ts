import { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** The most requests of one connection that wait for their turn; a connection with more of them is cut. */
const mostWaiting = 16

/** The requests of one connection: one is being answered, the others wait. */
class Line {
  #busy = false
  readonly #waiting: Array<() => void> = []

  /** Begins the request now or in its turn; false when too many wait already. */
  enter(begin: () => void): boolean {
    if (this.#busy) return this.#waiting.length < mostWaiting && this.#waiting.push(begin) > 0
    this.#busy = true
    begin()
    return true
  }

  /** The answer that was under way has been sent. */
  next(): void {
    const begin = this.#waiting.shift()
    if (begin === undefined) this.#busy = false
    else begin()
  }

  /** The connection has ended: drops the requests that wait. */
  end(): void {
    this.#waiting.length = 0
  }
}

/**
 * Begins a request only when all earlier answers of its connection have been sent. A client may send many requests before it reads
 * an answer (pipelining). Node begins them all at once and holds their answers in memory, so that a single connection would take
 * as much work and memory as a thousand.
 */
export class SerialServer extends Server {
  readonly #lines = new WeakMap<Socket, Line>()

  override emit(event: string, ...args: ReadonlyArray<unknown>): boolean {
    const [request, response] = args
    const isRequest = event === "request" || event === "checkContinue"
    if (!isRequest || !(request instanceof IncomingMessage && response instanceof ServerResponse)) {
      return super.emit(event, ...args)
    }
    const { socket } = request
    // Node goes on with the requests that arrived together, also after the connection was cut.
    if (socket.destroyed) return true
    const line = this.#lineOf(socket)
    const begin = () => {
      response.once("close", () => (socket.destroyed ? line.end() : line.next()))
      super.emit(event, ...args)
    }
    if (!line.enter(begin)) socket.destroy()
    return true
  }

  #lineOf(socket: Socket): Line {
    const known = this.#lines.get(socket)
    if (known !== undefined) return known
    const line = new Line()
    this.#lines.set(socket, line)
    return line
  }
}
