import type { Block } from "../../document/PageLayout.ts"
import { codeText } from "../CodeText.ts"
import type { DocumentBlock } from "../DocumentBlock.ts"
import type { Compounds, RenderOptions } from "../RenderOptions.ts"
import { escapeHtml } from "./Escape.ts"
import { inlineHtml } from "./Inline.ts"
import { htmlTable } from "./Table.ts"

const deepestList = 12

/** `dir="auto"`: the first letter decides whether a block is read from the right. */
const element = (tag: string, inside: string): string =>
  inside === "" ? "" : `<${tag} dir="auto">${inside}</${tag.split(" ")[0]}>`

const plainHtml = (text: string): string =>
  text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => element("p", escapeHtml(part).replaceAll("\n", "<br>\n")))
    .join("\n")

/** What precedes the blocks of a whole document. */
export const htmlHead = (title: string): string =>
  `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>${escapeHtml(title)}</title>\n</head>\n<body>\n`

export const htmlEnd = "</body>\n</html>\n"

/** Writes blocks as HTML, one after the other. Nothing of the document is more than text in it: no script, no address but of links. */
export class HtmlWriter {
  readonly #options: RenderOptions
  readonly #compounds: Compounds
  /** How many lists are open, each inside the last item of the one before. */
  #open = 0

  constructor(options: RenderOptions, compounds: Compounds) {
    this.#options = options
    this.#compounds = compounds
  }

  /** The block, and before it the ends of lists that it ends. */
  write(block: DocumentBlock): string {
    if (block._tag === "listItem") return this.#item(block)
    const shown = block._tag === "text" ? plainHtml(block.text) : this.#block(block)
    return shown === "" ? "" : `${this.#closeTo(0)}${shown}\n`
  }

  /** The ends of the lists that are open. */
  end(): string {
    return this.#closeTo(0)
  }

  #closeTo(depth: number): string {
    const ends = Math.max(0, this.#open - depth)
    this.#open -= ends
    return "</li>\n</ul>\n".repeat(ends)
  }

  /** The marker is part of the item: the numbers of a browser might be others than those printed. */
  #item({ depth, lines, marker }: Extract<Block, { readonly _tag: "listItem" }>): string {
    const isOrdered = /[\p{L}\p{N}]/u.test(marker)
    const text = `${isOrdered ? `${escapeHtml(marker.trim())} ` : ""}${inlineHtml(lines, this.#compounds, this.#options)}`
    const level = Math.min(depth, this.#open, deepestList)
    const ends = this.#closeTo(level + 1)
    const start = this.#open > level ? "</li>\n" : isOrdered ? '<ul style="list-style-type:none">\n' : "<ul>\n"
    this.#open = level + 1
    return `${ends}${start}<li dir="auto">${text}`
  }

  #block(block: Exclude<Block, { readonly _tag: "listItem" }>): string {
    switch (block._tag) {
      case "figure":
        return "<figure></figure>"
      case "table":
        return htmlTable(block, (lines) => inlineHtml(lines, this.#compounds, this.#options))
      case "code": {
        const code = codeText(block.lines)
        return code.trim() === "" ? "" : `<pre><code>${escapeHtml(code)}</code></pre>`
      }
      case "heading":
        return element(`h${block.level}`, inlineHtml(block.lines, this.#compounds, { emphasis: false }))
      case "caption":
      case "footnote":
      case "formula":
      case "header":
      case "footer":
        return element(`p class="${block._tag}"`, inlineHtml(block.lines, this.#compounds, this.#options))
      case "paragraph":
        return element("p", inlineHtml(block.lines, this.#compounds, this.#options))
    }
  }
}
