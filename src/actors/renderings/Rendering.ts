import type { Stream } from "effect"
import type { PageSpan } from "../../domain/document/PageSpans.ts"
import type { RenderFormat } from "../../domain/rendering/Renderer.ts"
import type { RenderOptions } from "../../domain/rendering/RenderOptions.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../services/store/StoreErrors.ts"

/** What is rendered, and how; the fields that are absent have the values of `renderDefaults`. */
export interface RenderingOptions extends Partial<RenderOptions> {
  /** `json`: the pages with their layouts as the whole document shows them, and the outline. */
  readonly format: RenderFormat | "json"
  /** The first and the last page; all when absent. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Whether pages that are missing or incomplete are marked in the text. */
  readonly marks?: boolean | undefined
}

export interface Rendering {
  /** Pages that have text and no layout: their text is shown as it is, without headings, lists and tables. */
  readonly withoutLayout: ReadonlyArray<PageSpan>
  /** The parts of the text; read from the store while they are taken. */
  readonly text: Stream.Stream<string, DocumentNotFound | StoreUnavailable>
}
