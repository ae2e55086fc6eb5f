import type { LayoutLine } from "../document/PageLayout.ts"
import { codeText } from "../rendering/CodeText.ts"
import type { DocumentBlock } from "../rendering/DocumentBlock.ts"
import type { Compounds } from "../rendering/RenderOptions.ts"
import { joinedText } from "../rendering/TextRuns.ts"
import type { Found, LinePlaces } from "./LinePlaces.ts"
import type { TableRow } from "./TableRows.ts"
import { linesWithin, lineStarts, type Unit } from "./Unit.ts"

/** A text of which nothing is known but where it stands. */
export const plainUnit = (text: string, places: ReadonlyArray<Found>): Unit => ({
  kind: "text",
  text,
  places,
  gap: "\n\n",
  piece: ({ end, start }) => plainUnit(text.slice(start, end).trim(), places)
})

/** Blocks with lines as units. */
export class Units {
  readonly #compounds: Compounds
  readonly #places: LinePlaces

  constructor(compounds: Compounds, places: LinePlaces) {
    this.#compounds = compounds
    this.#places = places
  }

  /** Undefined when it says nothing. */
  of(block: Exclude<DocumentBlock, { readonly _tag: "table" | "figure" | "text" }>): Unit | undefined {
    if (block._tag === "code") return this.#code(block.lines)
    const joined = joinedText(block.lines, this.#compounds)
    if (block._tag !== "listItem") return this.#lines("text", joined, block.lines, 0, "\n\n")
    const lead = `${"  ".repeat(Math.min(block.depth, 12))}${block.marker} `
    return this.#lines("list", `${lead}${joined}`.trimEnd(), block.lines, lead.length, "\n")
  }

  rows(rows: ReadonlyArray<TableRow>): ReadonlyArray<Unit> {
    return rows.map((row) => ({ ...plainUnit(row.text, this.#places.ofRow(row)), gap: "\n" as const }))
  }

  /** `lead`: how many characters come before the text of the lines. */
  #lines(
    kind: "text" | "list",
    text: string,
    lines: ReadonlyArray<LayoutLine>,
    lead: number,
    gap: "\n" | "\n\n"
  ): Unit | undefined {
    if (text.trim() === "") return undefined
    let starts: ReadonlyArray<number> | undefined
    return {
      kind,
      text,
      gap,
      places: this.#places.of(lines),
      piece: ({ end, start }) => {
        starts ??= lineStarts(lines, this.#compounds)
        const part = { start: Math.max(0, start - lead), end: Math.max(1, end - lead) }
        const places = this.#places.of(linesWithin(lines, starts, part))
        return { ...plainUnit(text.slice(start, end).trim(), places), kind, gap }
      }
    }
  }

  #code(lines: ReadonlyArray<LayoutLine>): Unit | undefined {
    const text = codeText(lines)
    if (text.trim() === "") return undefined
    const places = this.#places.of(lines)
    return {
      kind: "code",
      text,
      places,
      gap: "\n\n",
      piece: ({ end, start }) => {
        // The rows of the text are the lines, with empty rows between some.
        const lineOf = (offset: number) =>
          text
            .slice(0, offset)
            .split("\n")
            .filter((row, index, rows) => index < rows.length - 1 && row.trim() !== "").length
        const within = lines.slice(lineOf(start), Math.max(lineOf(start) + 1, lineOf(end)))
        const shown = text.slice(start, end).replace(/^\n+|\s+$/g, "")
        return { ...plainUnit(shown, this.#places.of(within)), kind: "code" }
      }
    }
  }
}
