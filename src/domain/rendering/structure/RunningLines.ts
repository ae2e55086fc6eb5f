// Lines that belong to the page and not to its text: they come again on other pages, at the same height, with other numbers.
import type { Block, PageLayout } from "../../document/PageLayout.ts"
import { joinedText } from "../TextRuns.ts"

/** Where running lines are looked for: this share of the page at its head, and at its foot. */
const band = 0.12
const longestLine = 200
/** Blocks at each end of a page that are looked at. */
const mostPerEnd = 4
/** Heights on different pages that are one, in points. */
const sameHeight = 6
/** Pages further apart than this are no neighbours: left and right pages may have different lines. */
const farthestNeighbour = 2
/** Candidates that are kept; a document of more pages keeps the lines of its later pages in its text. */
const mostCandidates = 400_000

interface Candidate {
  readonly page: number
  readonly index: number
  readonly y: number
  /** The reader of the page took it for one by its place. */
  readonly isMarked: boolean
}

const isTextBlock = (
  block: Block
): block is Exclude<Block, { readonly _tag: "figure" | "table" | "code" | "formula" }> =>
  block._tag !== "figure" && block._tag !== "table" && block._tag !== "code" && block._tag !== "formula"

/** The text with its numbers, Arabic and Roman, replaced. */
const patternOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\b[ivxlc]+\b/g, "#")
    .replace(/\p{N}+/gu, "#")
    .replace(/\s+/g, " ")
    .trim()

/** Clusters of candidates at one height. */
const byHeight = (candidates: ReadonlyArray<Candidate>): ReadonlyArray<ReadonlyArray<Candidate>> => {
  const clusters: Array<Array<Candidate>> = []
  for (const candidate of candidates.toSorted((a, b) => a.y - b.y)) {
    const cluster = clusters.at(-1)
    const last = cluster?.at(-1)
    if (cluster !== undefined && last !== undefined && candidate.y - last.y <= sameHeight) cluster.push(candidate)
    else clusters.push([candidate])
  }
  return clusters
}

/** Those that come again near by, if there are enough of them. */
const repeated = (cluster: ReadonlyArray<Candidate>, least: number): ReadonlyArray<Candidate> => {
  const pages = new Set(cluster.map(({ page }) => page))
  if (pages.size < least) return []
  return cluster.filter(({ page }) => {
    for (let away = 1; away <= farthestNeighbour; away++)
      if (pages.has(page - away) || pages.has(page + away)) return true
    return false
  })
}

/** Collects candidates page by page, and then tells which are running lines. */
export class RunningLines {
  readonly #byPattern = new Map<string, Array<Candidate>>()
  readonly #marked: Array<Candidate> = []
  /** How many blocks with text a page has, if there are so few that all may be candidates. */
  readonly #small = new Map<number, number>()
  #pages = 0
  #count = 0

  add(page: number, { blocks, height }: PageLayout): void {
    this.#pages++
    const filled = blocks.filter(({ _tag }) => _tag !== "figure").length
    if (filled <= 3 * mostPerEnd) this.#small.set(page, filled)
    const within = blocks.flatMap((block, index) => (isTextBlock(block) ? [{ block, index }] : []))
    const atHead = within.filter(({ block: { box } }) => box.y + box.height <= height * band).slice(0, mostPerEnd)
    const atFoot = within.filter(({ block: { box } }) => box.y >= height * (1 - band)).slice(-mostPerEnd)
    const marked = within.filter(({ block: { _tag } }) => _tag === "header" || _tag === "footer")
    for (const { block, index } of new Set([...atHead, ...atFoot, ...marked])) this.#see(page, block, index)
  }

  #see(page: number, block: Extract<Block, { readonly lines: unknown }>, index: number): void {
    const text = joinedText(block.lines)
    if (text === "" || text.length > longestLine || this.#count >= mostCandidates) return
    this.#count++
    const isMarked = block._tag === "header" || block._tag === "footer"
    const candidate: Candidate = { page, index, y: block.box.y, isMarked }
    if (isMarked) this.#marked.push(candidate)
    const pattern = patternOf(text)
    const same = this.#byPattern.get(pattern)
    if (same === undefined) this.#byPattern.set(pattern, [candidate])
    else same.push(candidate)
  }

  /** The indices of the running blocks, by page. */
  found(): ReadonlyMap<number, ReadonlySet<number>> {
    const running = new Map<number, Set<number>>()
    const take = ({ index, page }: Candidate) => {
      const indices = running.get(page)
      if (indices === undefined) running.set(page, new Set([index]))
      else indices.add(index)
    }
    // A document of few pages cannot repeat a line often.
    const least = this.#pages < 4 ? 2 : 3
    for (const same of this.#byPattern.values()) {
      for (const cluster of byHeight(same)) for (const each of repeated(cluster, least)) take(each)
    }
    // Titles of chapters differ from page to page, but stand where the others do.
    for (const cluster of byHeight(this.#marked)) {
      const pages = new Set(cluster.map(({ page }) => page)).size
      if (pages >= 3 && pages * 3 >= this.#pages) for (const each of cluster) take(each)
    }
    // A page that would be left with nothing has no running lines: it is a copy, or a form.
    for (const [page, indices] of running) if (indices.size === this.#small.get(page)) running.delete(page)
    return running
  }
}
