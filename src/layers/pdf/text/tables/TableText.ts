// A table as text: a line for each row, its cells one after the other.
import type { Bounds } from "../Bounds.ts"
import { boundsOf } from "../Bounds.ts"
import { toLines } from "../Lines.ts"
import type { FoundTable } from "./FoundTable.ts"

export interface RowText extends Bounds {
  readonly text: string
}

/** The rows from top to bottom. A cell of several rows is read in its first. */
export const rowTexts = ({ cells }: FoundTable): ReadonlyArray<RowText> => {
  const rows = new Map<number, Array<RowText>>()
  for (const { row, segments } of cells) {
    for (const line of toLines(segments)) {
      const own = rows.get(row)
      if (own === undefined) rows.set(row, [line])
      else own.push(line)
    }
  }
  return [...rows.entries()]
    .sort((one, other) => one[0] - other[0])
    .map(([, lines]) => ({ ...boundsOf(lines), text: lines.map(({ text }) => text).join(" ") }))
}
