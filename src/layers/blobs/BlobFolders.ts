// Where blobs lie: <directory>/blobs/<first two digits>/<hash>. All 256 folders are made at start, so no put has to sync more
// than one of them.
import { closeSync, openSync } from "node:fs"
import { join } from "node:path"
import { Effect, Semaphore, type Scope } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import { attempt } from "./FileFailures.ts"
import { makeDirectory, makeFolder, syncDirectory, syncFile } from "./Files.ts"

export const prefixes = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"))
const prefixOf = (hash: BlobHash) => hash.slice(0, 2)

export class BlobFolders {
  readonly directory: string
  readonly #locks = new Map(prefixes.map((prefix) => [prefix, Semaphore.makeUnsafe(1)]))
  /** Kept open, since every put syncs one of them. */
  readonly #descriptors = new Map<string, number>()

  private constructor(directory: string) {
    this.directory = directory
  }

  /** The descriptors are closed with the scope. */
  static make(directory: string): Effect.Effect<BlobFolders, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => new BlobFolders(directory)),
      (folders) => Effect.sync(() => folders.#descriptors.forEach((descriptor) => closeSync(descriptor)))
    )
  }

  /** Makes the folders that are missing, durably. */
  prepare(): Effect.Effect<void, NodeJS.ErrnoException> {
    const folders = Effect.forEach(prefixes, (prefix) => makeFolder(join(this.directory, prefix)), { discard: true })
    return makeDirectory(this.directory).pipe(Effect.andThen(folders), Effect.andThen(syncDirectory(this.directory)))
  }

  pathOf(hash: BlobHash): string {
    return join(this.directory, prefixOf(hash), hash)
  }

  /** A put or touch that renews a blob and a removal that found it old must not interleave. */
  exclusively(hash: BlobHash) {
    return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
      const lock = this.#locks.get(prefixOf(hash))
      return lock === undefined ? effect : lock.withPermit(effect)
    }
  }

  /** Makes the name of the blob durable. Windows has no such call; its file systems journal names by themselves. */
  syncName(hash: BlobHash): Effect.Effect<void, NodeJS.ErrnoException> {
    if (process.platform === "win32") return Effect.void
    const path = join(this.directory, prefixOf(hash))
    return Effect.flatMap(
      attempt(() => this.#descriptors.get(path) ?? openSync(path, "r")),
      (descriptor) => {
        this.#descriptors.set(path, descriptor)
        return syncFile(descriptor)
      }
    )
  }
}
