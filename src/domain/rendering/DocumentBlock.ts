import type { Block, PageLayout } from "../document/PageLayout.ts"

/** The text of a page whose layout is not known: its lines, with line feeds between. */
export interface PlainText {
  readonly _tag: "text"
  readonly text: string
}

/** What a document consists of once its pages are put together. */
export type DocumentBlock = Block | PlainText

/** A page as renderings take it. `layout` is undefined when none was made; its `text` is shown then. */
export interface RenderedPage {
  readonly number: number
  readonly layout: PageLayout | undefined
  readonly text: string
  /** Said after the page: that something of it is missing. */
  readonly mark?: string | undefined
}
