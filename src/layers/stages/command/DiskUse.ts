import { readdir, lstat } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"

/** Entries that are counted; a command that makes more is over its limit, whatever their sizes. */
const mostEntries = 50_000
const blockBytes = 512

/** What the files below these folders take on the disk, as far as `most`. */
const usedBytes = async (folders: ReadonlyArray<string>, most: number): Promise<number> => {
  const waiting = [...folders]
  let bytes = 0
  let entries = 0
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) waiting.push(path)
      else bytes += (await lstat(path).catch(() => ({ blocks: 0 }))).blocks * blockBytes
      if (++entries > mostEntries || bytes > most) return Infinity
    }
  }
  return bytes
}

/** Ends once the files below the folders take more than `most` bytes. */
export const untilFull = (folders: ReadonlyArray<string>, most: number): Effect.Effect<void> =>
  Effect.promise(() => usedBytes(folders, most)).pipe(
    Effect.delay("500 millis"),
    Effect.repeat({ until: (bytes) => bytes > most }),
    Effect.asVoid
  )
