// The bytes of a blob, read by the engine: a page worker is handed bytes, and may read no file but its own program.
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { failure, type Failure } from "../../../domain/Failure.ts"
import type { BlobLocation } from "../../../services/BlobStore.ts"

/** Bytes of a blob that are handed over at a time; no more of a file is in memory. */
export const portionBytes = 256 * 1024

export interface BlobBytes {
  readonly size: number
  /** All `size` bytes in order; the last portion may be shorter. Each may be used only until the next is asked for. */
  readonly portions: AsyncIterable<Uint8Array>
  readonly close: () => Promise<void>
}

/** The file in a blob's place is not the one that was stored. */
class Replaced extends Error {}

// Opening a named pipe in a file's place would block until a process writes to it. Windows has neither flag nor pipe.
const flags = constants.O_RDONLY | (process.platform === "win32" ? 0 : constants.O_NONBLOCK)

async function* portionsOfFile(file: FileHandle, size: number): AsyncGenerator<Uint8Array, void, void> {
  const buffer = Buffer.allocUnsafe(Math.min(size, portionBytes))
  for (let at = 0; at < size;) {
    let filled = 0
    while (filled < buffer.length && at < size) {
      const { bytesRead } = await file.read(buffer, filled, Math.min(buffer.length - filled, size - at), at)
      if (bytesRead === 0) throw new Replaced("The stored file became shorter while it was read.")
      at += bytesRead
      filled += bytesRead
    }
    yield buffer.subarray(0, filled)
  }
}

const openFile = async (path: string): Promise<BlobBytes> => {
  const file = await open(path, flags)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Replaced("What is stored in its place is not a file.")
    return { size: stats.size, portions: portionsOfFile(file, stats.size), close: () => file.close() }
  } catch (cause) {
    await file.close()
    throw cause
  }
}

async function* portionsOfBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += portionBytes) yield bytes.subarray(at, at + portionBytes)
}

/** The caller has to close it. */
export const openBlob = async (location: BlobLocation): Promise<BlobBytes> =>
  location._tag === "File"
    ? openFile(location.path)
    : { size: location.bytes.length, portions: portionsOfBytes(location.bytes), close: async () => {} }

/** The failure of a document whose blob cannot be read. */
export const unreadableBlob = (cause: unknown): Failure => {
  if (cause instanceof Replaced) return failure("BLOB_LOST", cause.message)
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR"
    ? failure("BLOB_LOST", `The stored file is missing (${code}).`)
    : failure("SOURCE_UNAVAILABLE", `The stored file cannot be read (${code}).`)
}
