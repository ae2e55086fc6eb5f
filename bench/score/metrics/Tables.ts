// The tables of a Markdown text, of pipes or of HTML, as trees.
import { collapse } from "./Strings.ts"

export interface TableNode {
  readonly tag: "tables" | "table" | "tr" | "td"
  readonly rows: number
  readonly columns: number
  readonly text: string
  readonly children: ReadonlyArray<TableNode>
}

const node = (tag: TableNode["tag"], children: ReadonlyArray<TableNode>): TableNode => ({
  tag,
  rows: 1,
  columns: 1,
  text: "",
  children
})

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " }
const unescaped = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(\w+);/g, (all, name: string) => entities[name] ?? all)

const plain = (html: string): string => collapse(unescaped(html.replace(/<br\s*\/?>/gi, "\n").replace(/<[^>]*>/g, "")))

const spanOf = (attributes: string, name: string): number =>
  Number(new RegExp(`${name}\\s*=\\s*["']?(\\d+)`, "i").exec(attributes)?.[1] ?? 1)

const htmlTable = (html: string): TableNode => {
  const rows = html.split(/<tr\b[^>]*>/i).slice(1)
  return node(
    "table",
    rows.map((row) =>
      node(
        "tr",
        Array.from(
          row.matchAll(/<t[dh]\b([^>]*)>([^]*?)(?=<t[dh]\b|<\/t[dhr]>|$)/gi),
          ([, attributes = "", inside = ""]) => ({
            tag: "td",
            rows: spanOf(attributes, "rowspan"),
            columns: spanOf(attributes, "colspan"),
            text: plain(inside),
            children: []
          })
        )
      )
    )
  )
}

const cellsOf = (line: string): ReadonlyArray<string> | undefined => {
  const trimmed = line.trim()
  if (!trimmed.includes("|")) return undefined
  const cells = trimmed
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
  return cells.map((cell) => cell.replaceAll("\\|", "|").trim())
}
const isRule = (cells: ReadonlyArray<string>): boolean => cells.every((cell) => /^:?-+:?$/.test(cell))

const asHtml = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
  const lines = rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`)
  return `<table>${lines.join("")}</table>`
}

/** Tables of pipes become HTML; an empty header is none. */
export const withHtmlTables = (markdown: string): string => {
  const lines = markdown.split("\n")
  const out: Array<string> = []
  for (let at = 0; at < lines.length; at++) {
    const head = cellsOf(lines[at] ?? "")
    const rule = cellsOf(lines[at + 1] ?? "")
    if (head === undefined || rule === undefined || !isRule(rule)) {
      out.push(lines[at] ?? "")
      continue
    }
    const rows = head.every((cell) => cell === "") ? [] : [head]
    at += 1
    for (let cells = cellsOf(lines[at + 1] ?? ""); cells !== undefined; cells = cellsOf(lines[at + 1] ?? "")) {
      rows.push(cells)
      at++
    }
    out.push(asHtml(rows))
  }
  return out.join("\n")
}

/** All tables of a text under one root. */
export const tablesOf = (markdown: string): TableNode =>
  node(
    "tables",
    Array.from(withHtmlTables(markdown).matchAll(/<table\b[^]*?<\/table>/gi), ([html]) => htmlTable(html))
  )
