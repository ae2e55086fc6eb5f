// The few documents that a page worker keeps open between ranges of pages.
import { Effect, Exit, Scope } from "effect"
import { createHash } from "node:crypto"
import { failure } from "../../../domain/Failure.ts"
import { PdfUnreadable } from "../../../services/PdfEngine.ts"
import type { Work } from "../pool/Protocol.ts"
import type { PdfReader, ReadOptions } from "./Reader.ts"
import { openPdf } from "./Reader.ts"

interface Held {
  readonly reader: PdfReader
  readonly password: string | undefined
  readonly bytes: number
  readonly scope: Scope.Closeable
}

/** The bytes of a document, which may still be on their way, or the bet that they are not needed. */
export type Given =
  | { readonly _tag: "Held" }
  | {
      readonly _tag: "Given"
      readonly bytes: Effect.Effect<Uint8Array, PdfUnreadable>
      readonly hash: string | undefined
    }

/** Damaged bytes must neither pass for a corrupt PDF nor, where it still opens, for its text. */
const refuseDamaged = (bytes: Uint8Array, hash: string | undefined): Effect.Effect<void, PdfUnreadable> =>
  hash === undefined || createHash("sha256").update(bytes).digest("hex") === hash
    ? Effect.void
    : Effect.fail(new PdfUnreadable({ failure: failure("BLOB_LOST", "The stored bytes no longer match their hash.") }))

const bytesOf = (source: Given): Effect.Effect<Uint8Array, PdfUnreadable | "NotHeld"> =>
  source._tag === "Held"
    ? Effect.fail("NotHeld")
    : Effect.tap(source.bytes, (bytes) => refuseDamaged(bytes, source.hash))

export interface DocumentCache {
  /** The reader of this document, opened now unless it is held. The least recently used documents make room for it. */
  readonly get: (work: Work, source: Given) => Effect.Effect<PdfReader, PdfUnreadable | "NotHeld">
  readonly forget: (key: string) => Effect.Effect<void>
  readonly keys: () => ReadonlyArray<string>
}

/**
 * At most `maxDocuments` are held, and of their files at most `maxBytes` beside the newest: what is held counts against the
 * worker's memory limit, and a document must not fail for the memory of the others.
 */
export const makeDocumentCache = (maxDocuments: number, maxBytes: number, options: ReadOptions): DocumentCache => {
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

  const open = Effect.fnUntraced(function* (work: Work, source: Given) {
    const bytes = yield* bytesOf(source)
    yield* makeRoom
    const scope = yield* Scope.make()
    const reader = yield* openPdf(bytes, work.password, options).pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    held.set(work.key, { reader, password: work.password, bytes: bytes.byteLength, scope })
    return reader
  })

  const get = Effect.fnUntraced(function* (work: Work, source: Given) {
    const document = held.get(work.key)
    // A caller with another password must not profit from the one that opened the document.
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
