// How messages travel between the engine and a page worker: over a pair of sockets, each as its length (4 bytes, big-endian)
// and its structured clone. Node's own channel does the same, but there a child that sends garbage ends its parent. Bytes of a
// file go as they are, distinguished from messages by the highest bit of their length: they need not be copied to be sent.
import { DefaultSerializer, deserialize } from "node:v8"

const headerBytes = 4
const header = Buffer.alloc(headerBytes)

const bytesFlag = 0x8000_0000

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

/** What is written before that many bytes. */
export const bytesHeader = (length: number): Buffer => {
  const framed = Buffer.alloc(headerBytes)
  framed.writeUInt32BE(bytesFlag + length)
  return framed
}

/**
 * Cuts what arrives into messages. Throws at bytes that are no message, and at a message of more than `mostBytes` before it is
 * there.
 */
export class FrameReader {
  readonly #mostBytes: number
  readonly #onMessage: (message: unknown) => void
  readonly #onBytes: ((bytes: Buffer) => void) | undefined
  #chunks: Array<Buffer> = []
  #bytes = 0
  /** As long as there are fewer bytes, no message is complete. */
  #needed = headerBytes

  /**
   * A reader without `onBytes` refuses bytes like a message that is too large. Bytes share their memory with the data around
   * them.
   */
  constructor(mostBytes: number, onMessage: (message: unknown) => void, onBytes?: (bytes: Buffer) => void) {
    this.#mostBytes = mostBytes
    this.#onBytes = onBytes
    this.#onMessage = onMessage
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#needed) return
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes)
    this.#needed = this.#endOfFirst(rest)
    while (rest.length >= this.#needed) {
      const isBytes = rest.readUInt32BE() >= bytesFlag
      const framed = rest.subarray(headerBytes, this.#needed)
      rest = rest.subarray(this.#needed)
      this.#needed = this.#endOfFirst(rest)
      if (isBytes) this.#onBytes?.(framed)
      else this.#onMessage(deserialize(framed))
    }
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
  }

  #endOfFirst(bytes: Buffer): number {
    if (bytes.length < headerBytes) return headerBytes
    const prefix = bytes.readUInt32BE()
    const size = prefix >= bytesFlag && this.#onBytes !== undefined ? prefix - bytesFlag : prefix
    if (size > this.#mostBytes) throw new RangeError(`a message of ${size} bytes`)
    return headerBytes + size
  }
}
