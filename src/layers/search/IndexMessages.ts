// What the threads of the index are asked: one changes it, the other only reads.
import type { DocumentKey, IndexEntry, IndexQuery, PutDocument } from "../../services/search/SearchIndex.ts"

export interface IndexThreadData {
  readonly filename: string
  readonly kind: "writer" | "reader"
}

// The threads know no schemas, which take a while to load: ids are plain texts, and chunks are JSON.

export interface NamedDocument {
  readonly tenant: string
  readonly document: string
}

export interface NamedHit {
  readonly document: string
  readonly chunk: string
  readonly score: number
}

/** With this begins what a thread says when the file is found to be damaged. */
export const damaged = "the index is damaged"

export type IndexCall =
  | { readonly _tag: "prepare" | "purge" }
  /** The writer removes the file and begins a new one; the reader lets go of it. */
  | { readonly _tag: "renew" }
  | { readonly _tag: "begin"; readonly put: PutDocument }
  | { readonly _tag: "remove"; readonly key: DocumentKey }
  | {
      readonly _tag: "add"
      readonly row: number
      readonly entries: ReadonlyArray<IndexEntry>
      readonly model: string | undefined
    }
  | { readonly _tag: "commit"; readonly row: number; readonly key: DocumentKey }
  | { readonly _tag: "search"; readonly tenant: string; readonly query: IndexQuery }
  | { readonly _tag: "documents"; readonly after: NamedDocument | undefined; readonly limit: number }
  | { readonly _tag: "figures"; readonly tenant: string | undefined }
