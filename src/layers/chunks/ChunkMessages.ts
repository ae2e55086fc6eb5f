// What the thread that makes chunks is asked.
import type { OutlineItem } from "../../domain/document/Document.ts"
import type { DivideOptions, PageToDivide } from "../../services/chunks/ChunkWork.ts"

export type ChunkCall =
  | { readonly _tag: "open"; readonly job: number; readonly options: DivideOptions }
  | { readonly _tag: "see" | "divide"; readonly job: number; readonly pages: ReadonlyArray<PageToDivide> }
  | { readonly _tag: "seen"; readonly job: number; readonly outline: ReadonlyArray<OutlineItem> }
  | { readonly _tag: "end" | "forget"; readonly job: number }

export interface ChunkThreadData {
  readonly tokenizer: "o200k" | "bytes"
}
