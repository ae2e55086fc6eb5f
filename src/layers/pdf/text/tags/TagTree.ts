// The structure that a tagged file gives its content, as blocks: what pdf.js reports of it, checked and bounded.

/** Content is known by the names that pieces of text have as their `tag`. */
export interface TagCell {
  readonly isHead: boolean
  readonly rows: number
  readonly columns: number
  readonly content: ReadonlyArray<string>
}

export interface TagTable {
  readonly kind: "table"
  /** From top to bottom; cells from left to right, without those that a cell of an earlier row reaches into. */
  readonly rows: ReadonlyArray<ReadonlyArray<TagCell>>
}

export interface TagText {
  readonly kind: "heading" | "paragraph" | "listItem" | "caption" | "code" | "formula" | "footnote"
  /** Of a heading, from 1; of an item, how many lists it is in, less 1. */
  readonly level: number
  /** Of an item: its mark. */
  readonly label: ReadonlyArray<string>
  readonly content: ReadonlyArray<string>
}

export type TagBlock = TagTable | TagText

const mostNodes = 20_000
const deepest = 48
const mostSpan = 1_000

const inline = new Set([
  "Span",
  "Link",
  "Em",
  "Strong",
  "Quote",
  "Reference",
  "BibEntry",
  "Annot",
  "Ruby",
  "RB",
  "RT",
  "RP",
  "Warichu",
  "WT",
  "WP",
  "Sub",
  "Private",
  "Lbl",
  "Form"
])

interface OpenText {
  readonly kind: TagText["kind"]
  readonly level: number
  readonly label: Array<string>
  readonly content: Array<string>
}

const get = (node: unknown, key: string): unknown =>
  typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined

const childrenOf = (node: unknown): ReadonlyArray<unknown> => {
  const children = get(node, "children")
  return Array.isArray(children) ? children : []
}

const kindOfRole = (role: string): TagText["kind"] | undefined => {
  if (/^H[1-6]?$|^Title$/.test(role)) return "heading"
  switch (role) {
    case "P":
    case "TOCI":
    case "BlockQuote":
      return "paragraph"
    case "LI":
      return "listItem"
    case "Caption":
      return "caption"
    case "Code":
      return "code"
    case "Formula":
      return "formula"
    case "Note":
    case "FENote":
      return "footnote"
    default:
      return undefined
  }
}

const spanOf = (node: unknown, key: string): number => {
  const span = get(node, key)
  return typeof span === "number" && Number.isInteger(span) && span >= 1 && span <= mostSpan ? span : 1
}

class Reading {
  readonly blocks: Array<TagBlock> = []
  #nodes = 0
  #open: OpenText | undefined

  /** False if there is more than a page has. */
  get isWhole(): boolean {
    return this.#nodes <= mostNodes
  }

  /** What lies in a paragraph or an item is a part of it. */
  #isPart(kind: TagText["kind"] | undefined): boolean {
    const open = this.#open?.kind
    if (open === undefined) return false
    return (open === "listItem" && kind === "paragraph") || kind === "formula" || kind === "code"
  }

  read(node: unknown, depth: number, lists: number): void {
    if (++this.#nodes > mostNodes || depth > deepest) return
    if (get(node, "type") === "content") {
      this.#add(String(get(node, "id")))
      return
    }
    const role = get(node, "role")
    if (typeof role !== "string") return
    if (role === "Table") {
      this.end()
      this.blocks.push({ kind: "table", rows: this.#rows(node, depth) })
      return
    }
    const kind = kindOfRole(role)
    const isPart = this.#isPart(kind)
    if (kind !== undefined && !isPart) {
      const level = kind === "listItem" ? Math.max(0, lists - 1) : Number(/[1-6]/.exec(role)?.[0] ?? 1)
      this.#begin({ kind, level, label: [], content: [] })
    } else if (kind === undefined && role !== "LBody" && !inline.has(role)) {
      this.end()
    }
    const within = this.#open
    for (const child of childrenOf(node)) {
      if (get(child, "role") === "Lbl" && within?.kind === "listItem")
        within.label.push(...this.#contentOf(child, depth))
      this.read(child, depth + 1, role === "L" ? lists + 1 : lists)
    }
    if (kind !== undefined && !isPart) this.end()
  }

  #begin(open: OpenText): void {
    this.end()
    this.#open = open
  }

  /** Ends the block that is open. */
  end(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined && open.content.length > 0) this.blocks.push(open)
  }

  #add(id: string): void {
    this.#open ??= { kind: "paragraph", level: 0, label: [], content: [] }
    this.#open.content.push(id)
  }

  #contentOf(node: unknown, depth: number): ReadonlyArray<string> {
    if (++this.#nodes > mostNodes || depth > deepest) return []
    if (get(node, "type") === "content") return [String(get(node, "id"))]
    return childrenOf(node).flatMap((child) => this.#contentOf(child, depth + 1))
  }

  #rows(node: unknown, depth: number): ReadonlyArray<ReadonlyArray<TagCell>> {
    if (++this.#nodes > mostNodes || depth > deepest) return []
    if (get(node, "role") !== "TR") return childrenOf(node).flatMap((child) => this.#rows(child, depth + 1))
    const cells = childrenOf(node).filter((child) => get(child, "role") === "TH" || get(child, "role") === "TD")
    return [
      cells.map((cell) => ({
        isHead: get(cell, "role") === "TH",
        rows: spanOf(cell, "rowSpan"),
        columns: spanOf(cell, "colSpan"),
        content: this.#contentOf(cell, depth + 1)
      }))
    ]
  }
}

/** In the order of the structure. Undefined if the page has none, or one that says nothing: only paragraphs. */
export const tagBlocks = (tree: unknown): ReadonlyArray<TagBlock> | undefined => {
  if (childrenOf(tree).length === 0) return undefined
  const reading = new Reading()
  for (const child of childrenOf(tree)) reading.read(child, 0, 0)
  reading.end()
  const { blocks, isWhole } = reading
  return isWhole && blocks.some(({ kind }) => kind !== "paragraph") ? blocks : undefined
}
