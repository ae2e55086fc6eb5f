// A table that is larger than a chunk, in parts of whole rows. Each part has the header again where that leaves room for rows.
import type { TokenCounter } from "./Tokens.ts"
import type { TableRow, TableText } from "./TableRows.ts"

export interface TablePart {
  /** With the caption and the header. */
  readonly hasHead: boolean
  readonly rows: ReadonlyArray<TableRow>
  readonly text: string
  /** One row that is larger than the limit. */
  readonly oversized: boolean
}

export interface TableSize {
  /** Tokens of a part, context included. */
  readonly limit: number
  readonly count: TokenCounter
  /** What is counted with the text of a part. */
  readonly embedded: (text: string) => string
}

const textOf = (rows: ReadonlyArray<TableRow>): string => rows.map(({ text }) => text).join("\n")

/** `caption` may be empty. Every row is in one part, and the head in the first one. */
export const tableParts = (table: TableText, caption: string, size: TableSize): ReadonlyArray<TablePart> => {
  const { count, embedded, limit } = size
  const tokensOf = (text: string) => count(embedded(text))
  const headOf = ({ header }: TableText) => [caption, textOf(header)].filter((part) => part !== "").join("\n\n")
  // A header that leaves no room for rows is rows itself.
  const whole = { header: [], rows: [...table.header.filter(({ lines }) => lines.length > 0), ...table.rows] }
  const { header, rows } = tokensOf(headOf(table)) * 2 > limit ? whole : table
  const head = headOf({ header, rows })
  const repeats = tokensOf(head) * 2 <= limit
  const partOf = (partRows: ReadonlyArray<TableRow>, hasHead: boolean): TablePart => {
    const body = textOf(partRows)
    const between = header.length === 0 ? "\n\n" : "\n"
    const text = !hasHead || head === "" ? body : body === "" ? head : `${head}${between}${body}`
    return { hasHead: hasHead && head !== "", rows: partRows, text, oversized: false }
  }
  const parts: Array<TablePart> = []
  /** Adds the rows in as many parts as they need. */
  const add = (some: ReadonlyArray<TableRow>): void => {
    const isFirst = parts.length === 0
    const part = partOf(some, isFirst || repeats)
    if (tokensOf(part.text) <= limit) return void parts.push(part)
    if (some.length > 1) {
      const middle = Math.ceil(some.length / 2)
      add(some.slice(0, middle))
      return add(some.slice(middle))
    }
    if (some.length === 0) return void parts.push({ ...part, oversized: true })
    if (isFirst && head !== "") add([])
    const alone = partOf(some, false)
    parts.push({ ...alone, oversized: tokensOf(alone.text) > limit })
  }

  const least = tokensOf(head) + 1
  let open: Array<TableRow> = []
  let tokens = least
  for (const row of rows) {
    const more = count(row.text) + 1
    if (open.length > 0 && tokens + more > limit) {
      add(open)
      open = []
      tokens = repeats ? least : 1
    }
    open.push(row)
    tokens += more
  }
  if (open.length > 0) add(open)
  return parts
}
