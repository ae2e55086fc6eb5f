// On which page each line stands: blocks that go on over a page break have lines of several pages.
import type { Block, LayoutLine } from "../document/PageLayout.ts"
import { withoutHidden } from "../rendering/Hidden.ts"
import type { RenderedPage } from "../rendering/DocumentBlock.ts"
import type { ChunkPlace } from "./Chunk.ts"
import { type PageSize, union, withinPage } from "./Places.ts"

/** A page with its size: 0 when it is not known. */
export interface ChunkPage extends RenderedPage, PageSize {}

export interface Found {
  readonly page: number
  /** Undefined when the line is not on the page, or the size of the page is not known. */
  readonly place: ChunkPlace | undefined
}

const nothing = { _tag: "paragraph", lines: [] } as const

/** The block in its place, so that the blocks after it keep their numbers. */
const seen = (block: Block): Block => withoutHidden(block) ?? { ...nothing, box: block.box }

export class LinePlaces {
  readonly #found = new WeakMap<object, Found>()

  /** The page without hidden text, unless all of its text is the layer that someone put under a scan. */
  add(page: ChunkPage): ChunkPage {
    const { layout } = page
    if (layout === undefined) return page
    const blocks = layout.isRecognized === true ? layout.blocks : layout.blocks.map(seen)
    const size = { width: layout.width, height: layout.height }
    const note = (item: Block | LayoutLine) => {
      const box = withinPage(item.box, size)
      this.#found.set(item, { page: page.number, place: box && { page: page.number, box } })
    }
    for (const block of blocks) {
      if (block._tag === "figure") note(block)
      else if (block._tag === "table") for (const { lines } of block.cells) lines.forEach(note)
      else block.lines.forEach(note)
    }
    return { ...page, layout: { ...layout, blocks } }
  }

  of(items: ReadonlyArray<object>): ReadonlyArray<Found> {
    return items.flatMap((item) => this.#found.get(item) ?? [])
  }

  /** The places of a table's row: one for each page that it is on, around all of its cells. */
  ofRow({ lines }: { readonly lines: ReadonlyArray<object> }): ReadonlyArray<Found> {
    const byPage = new Map<number, Found>()
    for (const found of this.of(lines)) {
      const { page, place } = found
      const before = byPage.get(page)?.place
      if (before === undefined) byPage.set(page, found)
      else if (place !== undefined) byPage.set(page, { page, place: { page, box: union(before.box, place.box) } })
    }
    return [...byPage.values()]
  }
}
