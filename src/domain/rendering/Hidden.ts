// Text that is hidden from readers of the page, left out.
import type { Block, LayoutLine, PageLayout } from "../document/PageLayout.ts"

const seenLines = (lines: ReadonlyArray<LayoutLine>): ReadonlyArray<LayoutLine> =>
  lines.flatMap((line) => {
    const spans = line.spans.filter(({ hidden }) => hidden === undefined)
    return spans.length === line.spans.length ? [line] : spans.length === 0 ? [] : [{ ...line, spans }]
  })

/** The block without hidden text; undefined when nothing is left of it. */
export const withoutHidden = (block: Block): Block | undefined => {
  if (block._tag === "figure") return block
  if (block._tag === "table") {
    const cells = block.cells.flatMap((cell) => {
      const lines = seenLines(cell.lines)
      return lines.length === 0 ? [] : [{ ...cell, lines }]
    })
    return cells.length === 0 ? undefined : { ...block, cells }
  }
  const lines = seenLines(block.lines)
  return lines.length === 0 ? undefined : { ...block, lines }
}

/** How many characters of the page are hidden, as a field to spread into an object; no field when there are none. */
export const hiddenField = (layout: PageLayout): { readonly hiddenCharacters?: number } => {
  const count = hiddenCharacters(layout)
  return count === 0 ? {} : { hiddenCharacters: count }
}

const hiddenCharacters = ({ blocks }: PageLayout): number => {
  const linesOf = (block: Block): ReadonlyArray<LayoutLine> =>
    block._tag === "figure" ? [] : block._tag === "table" ? block.cells.flatMap(({ lines }) => lines) : block.lines
  return blocks
    .flatMap(linesOf)
    .flatMap(({ spans }) => spans)
    .reduce((sum, { hidden, text }) => (hidden === undefined ? sum : sum + text.length), 0)
}
