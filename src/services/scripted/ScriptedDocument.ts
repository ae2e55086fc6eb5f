// What a scripted engine does with one document.
import type { Duration } from "effect"
import type { Failure } from "../../domain/Failure.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { OpenedPdf } from "../PdfEngine.ts"

export type ScriptedPage =
  /** A page with text; `result` overrides fields of its result. */
  | { readonly _tag: "Page"; readonly takes?: Duration.Input; readonly result?: Partial<Omit<PageResult, "number">> }
  | { readonly _tag: "Failed"; readonly takes?: Duration.Input; readonly error: Failure }
  /** The worker dies on it, and the rest of the call with it. */
  | { readonly _tag: "Death"; readonly takes?: Duration.Input; readonly memory?: boolean }
  | { readonly _tag: "Hang" }

export type ScriptedOpening =
  | {
      readonly _tag: "Opens"
      readonly takes?: Duration.Input
      readonly pageCount: number
      readonly opened?: Partial<OpenedPdf>
      /** How many pages of the head are read if the call asks for them, however long they take. */
      readonly head?: number
    }
  | { readonly _tag: "Unreadable"; readonly takes?: Duration.Input; readonly failure: Failure }
  | { readonly _tag: "Death"; readonly takes?: Duration.Input; readonly memory?: boolean }
  | { readonly _tag: "Hang" }

export interface ScriptedDocument {
  /** `before` counts the earlier openings. */
  readonly open: (before: number) => ScriptedOpening
  /** `before` counts the earlier readings of this page. */
  readonly page: (number: number, before: number) => ScriptedPage
}

/** A sound document: page 3 of 9 says "Page 3 of 9". */
export const soundDocument = (pageCount: number, takes: Duration.Input = 0): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount, takes }),
  page: (number) => ({ _tag: "Page", takes, result: { text: `Page ${number} of ${pageCount}` } })
})
