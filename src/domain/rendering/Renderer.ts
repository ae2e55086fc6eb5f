// A document as a text of one format, made page by page in order. All of it is pure, and works in a browser.
import type { DocumentBlock, RenderedPage } from "./DocumentBlock.ts"
import { htmlEnd, htmlHead, HtmlWriter } from "./html/HtmlWriter.ts"
import { MarkdownWriter } from "./markdown/MarkdownWriter.ts"
import { PlainWriter } from "./PlainWriter.ts"
import type { RenderOptions } from "./RenderOptions.ts"
import { DocumentBlocks } from "./structure/DocumentBlocks.ts"
import type { DocumentStructure } from "./structure/DocumentStructure.ts"

export const renderFormats = ["markdown", "html", "plain"] as const
export type RenderFormat = (typeof renderFormats)[number]

interface Writer {
  readonly write: (block: DocumentBlock) => string
  readonly end: () => string
}

const writerOf = (format: RenderFormat, options: RenderOptions, { compounds }: DocumentStructure): Writer => {
  switch (format) {
    case "markdown":
      return new MarkdownWriter(options, compounds)
    case "html":
      return new HtmlWriter(options, compounds)
    case "plain":
      return new PlainWriter(compounds)
  }
}

/** Gives the parts of the text, one after the other. It is needed once: what it has given, it has forgotten. */
export class Renderer {
  readonly #blocks: DocumentBlocks
  readonly #writer: Writer
  /** What precedes the first page. */
  readonly head: string
  readonly #end: string

  /** `title` is that of an HTML document. */
  constructor(format: RenderFormat, structure: DocumentStructure, options: RenderOptions, title: string) {
    this.#blocks = new DocumentBlocks(structure, options)
    this.#writer = writerOf(format, options, structure)
    this.head = format === "html" ? htmlHead(title) : ""
    this.#end = format === "html" ? htmlEnd : ""
  }

  page(page: RenderedPage): string {
    return this.#write(this.#blocks.page(page))
  }

  /** What follows the last page. */
  end(): string {
    return this.#write(this.#blocks.end()) + this.#writer.end() + this.#end
  }

  #write(blocks: ReadonlyArray<DocumentBlock>): string {
    return blocks.map((block) => this.#writer.write(block)).join("")
  }
}
