// How alike two Markdown texts are, a true one and one that was read: three measures between 0 and 1, written after their
// published definitions.
//
//   NID   reading order: the indel similarity of the texts, white space collapsed and tables as HTML
//   TEDS  tables: 1 - the tree edit distance of all tables / the nodes of the larger side; cells differ by their edit distance
//   MHS   headings: the same of headings and the text below each
import { collapse, indelSimilarity, textDistance } from "./Strings.ts"
import { hasHeadings, type HeadingNode, headingTree } from "./Headings.ts"
import { type TableNode, tablesOf, withHtmlTables } from "./Tables.ts"
import { sizeOf, treeDistance } from "./TreeDistance.ts"

/** A measure is undefined when the truth has nothing of what it measures. */
export interface Scores {
  readonly nid: number | undefined
  readonly teds: number | undefined
  readonly mhs: number | undefined
  /** The mean of those that are defined. */
  readonly overall: number | undefined
}

const readingOrder = (truth: string, read: string): number | undefined => {
  const wanted = collapse(withHtmlTables(truth))
  return wanted === "" ? undefined : indelSimilarity(wanted, collapse(withHtmlTables(read)))
}

const cellCost = (a: TableNode, b: TableNode): number =>
  a.tag !== b.tag || a.rows !== b.rows || a.columns !== b.columns ? 1 : textDistance(a.text, b.text)

const tables = (truth: string, read: string): number | undefined => {
  const [wanted, found] = [tablesOf(truth), tablesOf(read)]
  if (wanted.children.length === 0) return undefined
  if (found.children.length === 0) return 0
  // The root is not counted.
  return 1 - treeDistance(wanted, found, cellCost) / (Math.max(sizeOf(wanted), sizeOf(found)) - 1)
}

const headingCost = (a: HeadingNode, b: HeadingNode): number => (a.tag === b.tag ? textDistance(a.text, b.text) : 1)

const headings = (truth: string, read: string): number | undefined => {
  const [wanted, found] = [headingTree(truth), headingTree(read)]
  if (!hasHeadings(wanted)) return undefined
  if (!hasHeadings(found)) return 0
  return Math.max(0, 1 - treeDistance(wanted, found, headingCost) / Math.max(sizeOf(wanted), sizeOf(found)))
}

export const meanOf = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}

export const scoresOf = (truth: string, read: string): Scores => {
  const nid = readingOrder(truth, read)
  const teds = tables(truth, read)
  const mhs = headings(truth, read)
  return { nid, teds, mhs, overall: meanOf([nid, teds, mhs]) }
}
