import { constants, type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { StageError } from "../../../services/pipelines/Stage.ts"
import { final } from "../matter/Failures.ts"

const refused = (name: string, why: string) => final(`the command's output ${name} ${why}`)

const codeOf = (cause: unknown): string => (cause instanceof Error && "code" in cause ? String(cause.code) : "")

/** Not through a link, and not waiting for the other end of a pipe. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const readWhole = async (file: FileHandle, name: string, most: number): Promise<Uint8Array> => {
  const stats = await file.stat()
  if (!stats.isFile() || stats.nlink !== 1) throw refused(name, "is no plain file")
  if (stats.size > most) throw refused(name, `has ${stats.size} bytes, and ${most} may be taken (limits.output)`)
  const bytes = new Uint8Array(stats.size)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** The file that a command has left: one plain file in its directory, of no more than `most` bytes. */
export const readOutput = (folder: string, name: string, most: number): Effect.Effect<Uint8Array, StageError> =>
  Effect.tryPromise({
    try: async () => {
      const file = await open(join(folder, name), flags)
      try {
        return await readWhole(file, name, most)
      } finally {
        await file.close()
      }
    },
    catch: (cause) => {
      if (cause instanceof StageError) return cause
      if (codeOf(cause) === "ENOENT") return refused(name, "is not there")
      return refused(name, codeOf(cause) === "ELOOP" ? "is a link" : `cannot be read (${codeOf(cause)})`)
    }
  })
