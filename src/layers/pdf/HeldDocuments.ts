// The few documents that a page worker keeps open between ranges of pages.
import { Effect, Exit, Scope } from "effect"
import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { open as openFile } from "node:fs/promises"
import { failure } from "../../domain/Failure.ts"
import { PdfUnreadable } from "../../services/PdfEngine.ts"
import { isMemoryError } from "./PdfJs.ts"
import type { Source, Work } from "./Protocol.ts"
import type { PdfReader } from "./Reader.ts"
import { openPdf } from "./Reader.ts"

interface Held {
  readonly reader: PdfReader
  readonly password: string | undefined
  readonly bytes: number
  readonly scope: Scope.Closeable
}

const unreadableSource = (cause: unknown): PdfUnreadable => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  if (isMemoryError(cause) || code === "ERR_FS_FILE_TOO_LARGE") {
    return new PdfUnreadable({ failure: failure("RESOURCE_LIMIT", "The file is too large to be read at once.") })
  }
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR"
    ? new PdfUnreadable({ failure: failure("BLOB_LOST", `The stored file is missing (${code}).`) })
    : new PdfUnreadable({ failure: failure("SOURCE_UNAVAILABLE", `The stored file cannot be read (${code}).`) })
}

/** A file that is read at once; one that may take longer is read so that it can be stopped. */
const smallBytes = 1024 * 1024

const readFile = (path: string): Effect.Effect<Uint8Array, PdfUnreadable> =>
  Effect.flatMap(Effect.try({ try: () => statSync(path).size, catch: unreadableSource }), (size) =>
    size <= smallBytes
      ? Effect.try({ try: () => readFileSync(path), catch: unreadableSource })
      : Effect.acquireUseRelease(
          Effect.tryPromise({ try: () => openFile(path), catch: unreadableSource }),
          (file) => Effect.tryPromise({ try: (signal) => file.readFile({ signal }), catch: unreadableSource }),
          (file) => Effect.promise(() => file.close())
        )
  )

/** Damaged bytes must neither pass for a corrupt PDF nor, where it still opens, for its text. */
const refuseDamaged = (bytes: Uint8Array, hash: string | undefined): Effect.Effect<void, PdfUnreadable> =>
  hash === undefined || createHash("sha256").update(bytes).digest("hex") === hash
    ? Effect.void
    : Effect.fail(new PdfUnreadable({ failure: failure("BLOB_LOST", "The stored bytes no longer match their hash.") }))

const bytesOf = (source: Source): Effect.Effect<Uint8Array, PdfUnreadable | "NotHeld"> => {
  switch (source._tag) {
    case "File":
      return Effect.tap(readFile(source.path), (bytes) => refuseDamaged(bytes, source.hash))
    case "Bytes":
      return Effect.as(refuseDamaged(source.bytes, source.hash), source.bytes)
    case "Held":
      return Effect.fail("NotHeld")
  }
}

export interface HeldDocuments {
  /** The reader of this document, opened now unless it is held. Held documents unused the longest make room for it. */
  readonly get: (work: Work, source: Source) => Effect.Effect<PdfReader, PdfUnreadable | "NotHeld">
  readonly forget: (key: string) => Effect.Effect<void>
  readonly keys: () => ReadonlyArray<string>
}

/**
 * At most `maxDocuments` are held, and of their files at most `maxBytes` beside the newest: what is held counts against
 * the worker's memory limit, and a document must not die for what its neighbours use.
 */
export const makeHeldDocuments = (maxDocuments: number, maxBytes: number): HeldDocuments => {
  // In the order of use, the most recent last.
  const held = new Map<string, Held>()

  const forget = (key: string) =>
    Effect.suspend(() => {
      const document = held.get(key)
      held.delete(key)
      return document === undefined ? Effect.void : Scope.close(document.scope, Exit.void)
    })

  const makeRoom = Effect.gen(function* () {
    let bytes = [...held.values()].reduce((sum, document) => sum + document.bytes, 0)
    for (const [key, document] of held) {
      if (held.size < maxDocuments && bytes <= maxBytes) return
      bytes -= document.bytes
      yield* forget(key)
    }
  })

  const open = Effect.fnUntraced(function* (work: Work, source: Source) {
    const bytes = yield* bytesOf(source)
    yield* makeRoom
    const scope = yield* Scope.make()
    const reader = yield* openPdf(bytes, work.password).pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    held.set(work.key, { reader, password: work.password, bytes: bytes.byteLength, scope })
    return reader
  })

  const get = Effect.fnUntraced(function* (work: Work, source: Source) {
    const document = held.get(work.key)
    // Who has another password must not profit from the one that opened the document.
    if (document === undefined || document.password !== work.password) {
      yield* forget(work.key)
      return yield* open(work, source)
    }
    held.delete(work.key)
    held.set(work.key, document)
    return document.reader
  })

  return { get, forget, keys: () => [...held.keys()] }
}
