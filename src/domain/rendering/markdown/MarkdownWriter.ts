import type { Block, LayoutLine } from "../../document/PageLayout.ts"
import { codeText } from "../CodeText.ts"
import type { DocumentBlock } from "../DocumentBlock.ts"
import type { Compounds, RenderOptions } from "../RenderOptions.ts"
import { escapeMarkdown } from "./Escape.ts"
import { inlineMarkdown } from "./Inline.ts"
import { ListIndents } from "./Lists.ts"
import { markdownTable } from "./Table.ts"

/** A fence is longer than any in the code. */
const fenced = (code: string): string => {
  const longest = Math.max(0, ...Array.from(code.matchAll(/`+/g), ([run]) => run.length))
  const fence = "`".repeat(Math.max(3, longest + 1))
  return `${fence}\n${code}\n${fence}`
}

/** Text of a page whose layout is not known: its lines stay apart. */
const plainMarkdown = (text: string): string =>
  text
    .split("\n")
    .map((line) => escapeMarkdown(line.trim(), "block"))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()

/** Writes blocks as Markdown, one after the other: what it has written is never needed again. */
export class MarkdownWriter {
  readonly #lists = new ListIndents()
  readonly #options: RenderOptions
  readonly #compounds: Compounds
  #isFirst = true

  constructor(options: RenderOptions, compounds: Compounds) {
    this.#options = options
    this.#compounds = compounds
  }

  /** The block with what separates it from the one before; empty when the block shows nothing. */
  write(block: DocumentBlock): string {
    const between = this.#isFirst ? "" : this.#lists.isOpen && block._tag === "listItem" ? "\n" : "\n\n"
    const shown = block._tag === "text" ? plainMarkdown(block.text) : this.#block(block)
    // A picture between two items, of which nothing is shown, does not end their list.
    if (shown === "") return ""
    if (block._tag !== "listItem") this.#lists.end()
    this.#isFirst = false
    return `${between}${shown}`
  }

  /** What follows the last block. */
  end(): string {
    return this.#isFirst ? "" : "\n"
  }

  #inline(lines: ReadonlyArray<LayoutLine>, place: "block" | "heading"): string {
    const options = place === "heading" ? { emphasis: false } : this.#options
    return inlineMarkdown(lines, place, this.#compounds, options)
  }

  #block(block: Block): string {
    switch (block._tag) {
      case "heading": {
        const text = this.#inline(block.lines, "heading")
        return text === "" ? "" : `${"#".repeat(block.level)} ${text}`
      }
      case "listItem": {
        const text = this.#inline(block.lines, "block")
        if (text === "" && block.marker.trim() === "") return ""
        const { kept, prefix } = this.#lists.begin(block.marker, block.depth)
        return `${prefix}${escapeMarkdown(kept, "heading")}${text}`.trimEnd()
      }
      case "table":
        return markdownTable(block, this.#compounds, this.#options)
      case "code": {
        const code = codeText(block.lines)
        return code.trim() === "" ? "" : fenced(code)
      }
      case "figure":
        return ""
      default:
        return this.#inline(block.lines, "block")
    }
  }
}
