// A table of text that is read from right to left: its first column is the rightmost.
import type { FoundTable } from "./FoundTable.ts"

const isLeftward = ({ cells }: FoundTable): boolean => {
  let characters = 0
  for (const { segments } of cells) {
    for (const { rightToLeft, text } of segments) {
      // Numbers are read from left to right in all tables.
      if (rightToLeft) characters += text.length
      else if (/\p{L}/u.test(text)) characters -= text.length
    }
  }
  return characters > 0
}

export const mirrored = (table: FoundTable): FoundTable => {
  if (!isLeftward(table)) return table
  const cells = table.cells
    .map((cell) => ({ ...cell, column: table.columns - cell.column - cell.columns }))
    .sort((one, other) => one.row - other.row || one.column - other.column)
  return { ...table, cells }
}
