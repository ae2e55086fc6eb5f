// Sorts what pdf.js reports of a page: its text items, and what its patches tell beside them.
import type { LinkArea } from "../text/Links.ts"

export interface FoundMatter {
  /** Pieces of text, and the reports between them. */
  readonly items: ReadonlyArray<object>
  /** See `patches/Drawing.ts`. */
  readonly drawn: ReadonlyArray<number>
  /** How many characters stand beside the page, and are in none of the items. */
  readonly offPage: number
  /** See `patches/Links.ts`. */
  readonly links: ReadonlyArray<LinkArea>
}

const isNumbers = (value: unknown): value is ReadonlyArray<number> =>
  Array.isArray(value) && value.every((item) => typeof item === "number")

const linksOf = (item: object): ReadonlyArray<LinkArea> => {
  const [url, page, rects]: ReadonlyArray<unknown> = ["url", "page", "rects"].map((key) => Reflect.get(item, key))
  const target = typeof url === "string" ? url : typeof page === "number" ? `#page=${page}` : undefined
  if (target === undefined || !Array.isArray(rects)) return []
  return rects.flatMap((rect: unknown) => (isNumbers(rect) && rect.length === 4 ? [{ rect, target }] : []))
}

const isTextOrReport = (item: object): boolean => !("type" in item) || (item.type !== "drawn" && item.type !== "link")

export const sortMatter = (found: ReadonlyArray<object>): FoundMatter => {
  // What is told beside the text follows it, and most pages have little of it.
  if (found.every(isTextOrReport)) return { items: found, drawn: [], offPage: 0, links: [] }
  const items: Array<object> = []
  const links: Array<LinkArea> = []
  let drawn: ReadonlyArray<number> = []
  let offPage = 0
  for (const item of found) {
    if (isTextOrReport(item)) {
      items.push(item)
    } else if ("type" in item && item.type === "link") {
      links.push(...linksOf(item))
    } else {
      const records: unknown = Reflect.get(item, "records")
      offPage += Number(Reflect.get(item, "offPage")) || 0
      if (isNumbers(records)) drawn = records
    }
  }
  return { items, drawn, offPage, links }
}
