// What looks like a grid may be a drawing, a form, a list or prose in columns.
import type { FoundTable } from "./FoundTable.ts"
import { listMarker } from "../blocks/Markers.ts"
import { isNumeric } from "./Rows.ts"

/** By what it was found: lines all around, horizontal lines, the places of its text. */
export type Kind = "ruled" | "half-ruled" | "unruled"

/** The text of each row and column; empty where a cell has none or belongs to another. */
type Texts = ReadonlyArray<ReadonlyArray<string>>

const textsOf = ({ cells, columns, rows }: FoundTable): Texts => {
  const texts = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ""))
  for (const { column, row, segments } of cells) {
    const own = texts[row]
    if (own !== undefined)
      own[column] = segments
        .map(({ text }) => text)
        .join(" ")
        .trim()
  }
  return texts
}

const below = (texts: Texts, headerRows: number, column: number): ReadonlyArray<string> =>
  texts.slice(headerRows).map((row) => row[column] ?? "")

const hasLetter = (text: string): boolean => /\p{L}/u.test(text)

/** Words, perhaps with a number before them, and the numbers of pages in ascending order. */
const isContents = ({ columns, headerRows, rows }: FoundTable, texts: Texts): boolean => {
  if (columns < 2 || columns > 3 || rows - headerRows < 3) return false
  const pages = below(texts, headerRows, columns - 1).map((text) =>
    /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  )
  if (!pages.every((page, index) => page >= (pages[index - 1] ?? 0))) return false
  if (columns === 3 && !below(texts, headerRows, 0).every((text) => /^[\dA-Z.]{0,8}$/.test(text))) return false
  return below(texts, headerRows, columns - 2).every(hasLetter)
}

const fewestNumbers = 5

/** Two columns without rulings are a table only if every word has its number. */
const isListOfNumbers = ({ headerRows }: FoundTable, texts: Texts): boolean => {
  const names = below(texts, headerRows, 0)
  const values = below(texts, headerRows, 1)
  // Two scales of a drawing have no head.
  if (headerRows === 0 && names.every(isNumeric)) return false
  return values.length >= fewestNumbers && names.every((name) => name !== "") && values.every(isNumeric)
}

const listMark = /^([•◦▪‣·–—*o-]|\(?(\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\[\d+\])$/iu

/** Lists that stand beside each other: most cells are items. */
const areLists = (texts: Texts): boolean => {
  const filled = texts.flat().filter((text) => text !== "")
  const items = filled.filter((text) => listMark.test(text) || listMarker(text) !== undefined).length
  return items >= 0.5 * filled.length
}

const isList = ({ columns }: FoundTable, texts: Texts): boolean => {
  const firsts = texts.flatMap(([text = ""]) => (text === "" ? [] : [text]))
  const marks = firsts.filter((text) => listMark.test(text)).length
  return columns === 2 && marks > 0 && marks >= 0.6 * firsts.length
}

/** Labels and what they say: `Name: Anna`. */
const areLabels = ({ columns }: FoundTable, texts: Texts): boolean => {
  const names = texts.flatMap(([name = "", value = ""]) => (name === "" || value === "" ? [] : [name]))
  return columns === 2 && names.filter((name) => name.endsWith(":")).length >= 0.5 * names.length
}

const proseWords = 3.5

/** Prose in columns whose lines stand level: each column has several words in each line. */
const isProse = ({ columns }: FoundTable, texts: Texts): boolean =>
  Array.from({ length: columns }, (_, column) => below(texts, 0, column).filter((text) => text !== "")).every(
    (own) => own.length > 0 && own.reduce((sum, text) => sum + text.split(" ").length, 0) >= proseWords * own.length
  )

/** Whether only the cells in the middle are to be filled in: the first row and the first column say what belongs there. */
const hasBothHeads = ({ columns, rows }: FoundTable, texts: Texts): boolean =>
  rows >= 3 &&
  columns >= 2 &&
  texts.every(([first], row) => row === 0 || first !== "") &&
  (texts[0] ?? []).every((text, column) => column === 0 || text !== "")

/** How many rows have more than one cell with text. */
const rowsOfCells = (texts: Texts): number => texts.filter((row) => row.filter((text) => text !== "").length > 1).length

const fewestFilled = 8
const wellFilled = 0.7

const isRuled = (table: FoundTable, texts: Texts, share: number): boolean => {
  const { cells, columns, rows } = table
  // A form has many cells to be filled in.
  if (cells.length < fewestFilled && share < 0.5 && !hasBothHeads(table, texts)) return false
  if (columns > 1 && rows > 1 && rowsOfCells(texts) < 2 && !hasBothHeads(table, texts)) return false
  if (columns === 1) return rows >= 3 && share >= wellFilled
  if (rows === 1) return columns >= 3 && share >= wellFilled
  return share >= 0.25
}

const longText = 120
const longName = 30

/** Each column has a name, and most rows have cells here and there. */
const isSparse = ({ columns, headerRows, rows }: FoundTable, texts: Texts): boolean => {
  const names = texts[headerRows - 1] ?? []
  return (
    columns >= 4 &&
    headerRows > 0 &&
    rows - headerRows >= 4 &&
    names.every((name) => hasLetter(name) && name.length <= longName) &&
    rowsOfCells(texts) >= 0.8 * rows
  )
}

const isUnruled = (table: FoundTable, texts: Texts): boolean => {
  const { columns, rows } = table
  if (columns === 2) return isListOfNumbers(table, texts)
  if (isProse(table, texts) || areLists(texts)) return false
  const filled = (column: number): number => below(texts, 0, column).filter((text) => text !== "").length
  const real = Array.from({ length: columns }, (_, column) => filled(column)).filter(
    (count) => count >= Math.max(2, 0.25 * rows)
  )
  const full = texts.filter((row) => row.filter((text) => text !== "").length >= Math.max(2, 0.6 * columns)).length
  if (real.length < 3) return false
  return (full >= 3 && full >= 0.5 * rows) || isSparse(table, texts)
}

export const isTable = (table: FoundTable, kind: Kind): boolean => {
  const { cells, columns, rows, headerRows, slots } = table
  const texts = textsOf(table)
  const share = cells.length / slots
  if (cells.length === 0 || isContents(table, texts)) return false
  if (kind === "ruled") return isRuled(table, texts, share)
  if (rows - headerRows < 2 || columns < 2 || share < 0.35) return false
  if (isList(table, texts) || areLabels(table, texts)) return false
  if (rowsOfCells(texts) < 2) return false
  // The gaps of two lines may agree by chance.
  if (rows < 3 && !texts.flat().some((text) => text !== "" && isNumeric(text))) return false
  const long = texts.flat().filter((text) => text.length > longText).length
  return kind === "half-ruled" ? long <= 0.35 * cells.length : long <= 0.1 * cells.length && isUnruled(table, texts)
}
