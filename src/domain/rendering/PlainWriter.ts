import type { LayoutLine, Table } from "../document/PageLayout.ts"
import { codeText } from "./CodeText.ts"
import type { DocumentBlock } from "./DocumentBlock.ts"
import type { Compounds } from "./RenderOptions.ts"
import { gridOf } from "./TableGrid.ts"
import { joinedText } from "./TextRuns.ts"

/** Writes blocks as text: one line per paragraph, an empty line between blocks, tabs between the cells of a table. */
export class PlainWriter {
  readonly #compounds: Compounds
  #before: DocumentBlock["_tag"] | undefined

  constructor(compounds: Compounds) {
    this.#compounds = compounds
  }

  write(block: DocumentBlock): string {
    const text = this.#block(block)
    if (text === "") return ""
    const isInList = this.#before === "listItem" && block._tag === "listItem"
    const between = this.#before === undefined ? "" : isInList ? "\n" : "\n\n"
    this.#before = block._tag
    return `${between}${text}`
  }

  end(): string {
    return this.#before === undefined ? "" : "\n"
  }

  #joined(lines: ReadonlyArray<LayoutLine>): string {
    return joinedText(lines, this.#compounds)
  }

  #table(table: Table): string {
    return gridOf(table)
      .rows.map((row) => row.map(({ lines }) => this.#joined(lines)).join("\t"))
      .join("\n")
  }

  #block(block: DocumentBlock): string {
    switch (block._tag) {
      case "text":
        return block.text.trim()
      case "figure":
        return ""
      case "table":
        return this.#table(block)
      case "code":
        return codeText(block.lines)
      case "listItem":
        return `${"  ".repeat(Math.min(block.depth, 12))}${block.marker} ${this.#joined(block.lines)}`.trimEnd()
      default:
        return this.#joined(block.lines)
    }
  }
}
