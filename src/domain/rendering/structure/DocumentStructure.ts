// What only the whole document shows. First all pages are seen, of which small facts are kept, then they are rendered one by one.
import type { OutlineItem } from "../../document/Document.ts"
import type { Block, LayoutLine } from "../../document/PageLayout.ts"
import type { RenderedPage } from "../DocumentBlock.ts"
import type { Compounds } from "../RenderOptions.ts"
import { joinedText } from "../TextRuns.ts"
import { isContentsEntry } from "./Contents.ts"
import { type HeadingCandidate, headingLevels } from "./Headings.ts"
import { RunningLines } from "./RunningLines.ts"
import { countStyles, styleKey, styleOfLines } from "./Style.ts"

export interface DocumentStructure {
  /** The level of the block if it is a heading. A page that the structure does not know keeps what it shows alone. */
  readonly headingLevel: (page: number, index: number, alone: number | undefined) => number | undefined
  /** Whether the block is a running header or footer or a page number. */
  readonly isRunning: (page: number, index: number) => boolean
  readonly compounds: Compounds
  /** Of the file, or made of the headings when it has none. */
  readonly outline: ReadonlyArray<OutlineItem>
  readonly outlineSource: "file" | "headings" | "none"
}

/** Headings and short paragraphs of a document that are looked at; pages after them keep the levels that they give. */
const mostHeadings = 20_000
const mostCompounds = 20_000
const longestHeading = 160
/** Items and levels of an outline made of headings. */
const mostItems = 2_000
const deepestItem = 3

/** A style of so much of a document is its body, not that of headings. */
const bodyShare = 0.1
/** Documents of fewer characters show no body. */
const leastCharacters = 3_000

const compound = /\p{L}{2,}-\p{L}{2,}/gu

const linesOf = (block: Block): ReadonlyArray<LayoutLine> =>
  block._tag === "figure" ? [] : block._tag === "table" ? block.cells.flatMap(({ lines }) => lines) : block.lines

/** Sees the pages of one document, in order. */
export class StructureCollector {
  readonly #running = new RunningLines()
  readonly #styles = new Map<string, number>()
  readonly #candidates: Array<HeadingCandidate> = []
  readonly #compounds = new Set<string>()
  readonly #seen = new Set<number>()

  add({ layout, number }: RenderedPage): void {
    if (layout === undefined) return
    this.#running.add(number, layout)
    if (this.#candidates.length < mostHeadings) this.#seen.add(number)
    for (const [index, block] of layout.blocks.entries()) {
      const lines = linesOf(block)
      if (block._tag !== "header" && block._tag !== "footer") countStyles(lines, this.#styles)
      this.#findCompounds(lines)
      if (block._tag === "heading" || block._tag === "paragraph")
        this.#findHeading(number, index, block, layout.source === "tags")
    }
  }

  #findCompounds(lines: ReadonlyArray<LayoutLine>): void {
    if (this.#compounds.size >= mostCompounds) return
    for (const { spans } of lines) {
      for (const { text } of spans) {
        if (text.includes("-")) for (const [found] of text.matchAll(compound)) this.#compounds.add(found.toLowerCase())
      }
    }
  }

  #findHeading(
    page: number,
    index: number,
    block: Extract<Block, { readonly _tag: "heading" | "paragraph" }>,
    isTagged: boolean
  ): void {
    const isHeading = block._tag === "heading"
    if (!this.#seen.has(page) || (!isHeading && (isTagged || block.lines.length > 2))) return
    const text = joinedText(block.lines)
    if (!isTagged && isContentsEntry(text)) return
    if (!isHeading && (text.length > longestHeading || !/\p{L}/u.test(text))) return
    const style = styleOfLines(block.lines)
    const level = isHeading ? block.level : undefined
    this.#candidates.push({ page, index, text: text.slice(0, longestHeading), style, level, isTagged })
  }

  /** `outline` is that of the file. */
  structure(outline: ReadonlyArray<OutlineItem> = []): DocumentStructure {
    const running = this.#running.found()
    const isRunning = (page: number, index: number) => running.get(page)?.has(index) === true
    const headings = this.#headings().filter(({ index, page }) => !isRunning(page, index))
    const levels = headingLevels(headings, outline)
    const byPage = new Map<number, Map<number, number>>()
    for (const heading of headings) {
      const own = byPage.get(heading.page) ?? new Map<number, number>()
      own.set(heading.index, levels.get(heading) ?? 1)
      byPage.set(heading.page, own)
    }
    const made = outline.length > 0 ? outline : outlineOf(headings, levels)
    return {
      headingLevel: (page, index, alone) => (this.#seen.has(page) ? byPage.get(page)?.get(index) : alone),
      isRunning,
      compounds: this.#compounds,
      outline: made,
      outlineSource: outline.length > 0 ? "file" : made.length > 0 ? "headings" : "none"
    }
  }

  /** Without what the whole document shows to be text, and with what a page alone took for text. */
  #headings(): ReadonlyArray<HeadingCandidate> {
    const all = [...this.#styles.values()].reduce((sum, count) => sum + count, 0)
    let body = { size: 0, count: 0 }
    for (const [key, count] of this.#styles) if (count > body.count) body = { size: Number.parseFloat(key), count }
    const isBody = ({ isTagged, style }: HeadingCandidate): boolean =>
      !isTagged &&
      all >= leastCharacters &&
      style.size <= body.size * 1.02 &&
      (this.#styles.get(styleKey(style)) ?? 0) > all * bodyShare
    const marked = this.#candidates.filter((candidate) => candidate.level !== undefined && !isBody(candidate))
    const styles = new Set(marked.map(({ style }) => styleKey(style)))
    return this.#candidates.filter(
      (candidate) =>
        (candidate.level !== undefined && !isBody(candidate)) ||
        // Larger than the body, and set as headings of other pages are.
        (candidate.level === undefined &&
          candidate.style.size >= body.size * 1.15 &&
          styles.has(styleKey(candidate.style)))
    )
  }
}

const outlineOf = (
  headings: ReadonlyArray<HeadingCandidate>,
  levels: ReadonlyMap<HeadingCandidate, number>
): ReadonlyArray<OutlineItem> =>
  headings
    .map((heading) => ({ title: heading.text, depth: (levels.get(heading) ?? 1) - 1, page: heading.page }))
    .filter(({ depth, title }) => depth < deepestItem && title !== "")
    .slice(0, mostItems)
