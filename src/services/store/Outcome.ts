import type { PageResult } from "../../domain/document/Page.ts"
import type { Failure } from "../../domain/Failure.ts"
import type { OpenedPdf } from "../PdfEngine.ts"

/** How a run ends its document. */
export type Outcome =
  | { readonly status: "completed" | "partial" }
  | { readonly status: "failed"; readonly failure: Failure }

/** A document that was read in one call: the opened file, and the results of all pages that had none. */
export interface WholeDocument {
  readonly pdf: OpenedPdf
  readonly pages: ReadonlyArray<PageResult>
}
