// How messages travel between the engine and a page worker: over a pair of sockets, each as its length (4 bytes, big-endian)
// and its structured clone. Node's own channel does the same, but there a child that sends garbage ends its parent.
import { DefaultSerializer, deserialize } from "node:v8"

const headerBytes = 4
const header = Buffer.alloc(headerBytes)

/** Where a worker finds its end of the channel. */
export const channelDescriptor = 3

/** A message as it is written to the channel. */
export const frame = (message: object): Buffer => {
  const serializer = new DefaultSerializer()
  // The length, which is known only afterwards.
  serializer.writeRawBytes(header)
  serializer.writeHeader()
  serializer.writeValue(message)
  const framed = serializer.releaseBuffer()
  framed.writeUInt32BE(framed.length - headerBytes)
  return framed
}

/** Cuts what arrives into messages. Throws at what is no message, and at one of more than `mostBytes` before it is there. */
export class FrameReader {
  readonly #mostBytes: number
  readonly #onMessage: (message: unknown) => void
  #chunks: Array<Buffer> = []
  #bytes = 0
  /** As long as there are fewer bytes, there is nothing to cut. */
  #wanted = headerBytes

  constructor(mostBytes: number, onMessage: (message: unknown) => void) {
    this.#mostBytes = mostBytes
    this.#onMessage = onMessage
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#wanted) return
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes)
    this.#wanted = this.#endOfFirst(rest)
    while (rest.length >= this.#wanted) {
      const message: unknown = deserialize(rest.subarray(headerBytes, this.#wanted))
      rest = rest.subarray(this.#wanted)
      this.#wanted = this.#endOfFirst(rest)
      this.#onMessage(message)
    }
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
  }

  #endOfFirst(bytes: Buffer): number {
    if (bytes.length < headerBytes) return headerBytes
    const size = bytes.readUInt32BE()
    if (size > this.#mostBytes) throw new RangeError(`a message of ${size} bytes`)
    return headerBytes + size
  }
}
