// Upright text in vertical columns whose glyphs the file places one by one. pdf.js takes it for horizontal text of one
// letter a run; here its columns are found, so that they can be read like those that the file itself calls vertical.
//
// Such a column has less space between its letters than beside them. A column of table cells has more, or stands beside
// cells that are no single letters.
import { isUnspaced } from "../Characters.ts"
import type { Fragment } from "../Fragment.ts"

// In parts of the font size.
const widestLetter = 1.4
const offCentre = 0.35
const punctuationOffCentre = 0.75
const nearestBelow = 0.6
const farthestBelow = 1.65
const level = 0.1
const clearlyNearer = 0.15
const beside = 2.6

const fewestInColumn = 3
const fewestOnPage = 4
const longestNumber = 3

const punctuation = /^[\u3001\u3002\uff0c\uff0e\u30fb\u2026\u2025]$/

interface Letter {
  readonly fragment: Fragment
  readonly centre: number
  readonly ideograph: boolean
}

const toLetter = (fragment: Fragment): Letter | undefined => {
  const { text, left, right, size } = fragment
  if (text.length > longestNumber || right - left > widestLetter * size) return undefined
  const ideograph = isUnspaced(text.charCodeAt(0)) && [...text].length === 1
  // A number of few digits stands upright in the column.
  if (!ideograph && !/^[\x21-\x7e]+$/.test(text)) return undefined
  return { fragment, centre: (left + right) / 2, ideograph }
}

const follows = ({ fragment, centre }: Letter, next: Letter): boolean => {
  const { size } = fragment
  const step = next.fragment.baseline - fragment.baseline
  const dots = punctuation.test(fragment.text) || punctuation.test(next.fragment.text)
  return (
    Math.abs(next.centre - centre) <= (dots ? punctuationOffCentre : offCentre) * size &&
    Math.abs(next.fragment.size - size) <= 0.2 * size &&
    step >= (dots ? 0.3 : nearestBelow) * size &&
    step <= farthestBelow * size
  )
}

/** Letters that stand below each other. Most files draw a column from top to bottom; if not, places decide. */
const toColumns = (letters: ReadonlyArray<Letter>): Array<Array<Letter>> => {
  const chain = (ordered: ReadonlyArray<Letter>): Array<Array<Letter>> => {
    const columns: Array<Array<Letter>> = []
    for (const letter of ordered) {
      const column = columns.at(-1)
      const last = column?.at(-1)
      if (column !== undefined && last !== undefined && follows(last, letter)) column.push(letter)
      else columns.push([letter])
    }
    return columns
  }
  const drawn = chain(letters)
  if (2 * drawn.length <= letters.length) return drawn
  const size = letters[0]?.fragment.size ?? 1
  const sorted = letters.slice().sort((one, other) => one.centre - other.centre)
  const strips: Array<Array<Letter>> = []
  for (const letter of sorted) {
    const strip = strips.at(-1)
    if (strip?.[0] !== undefined && letter.centre - strip[0].centre <= offCentre * size) strip.push(letter)
    else strips.push([letter])
  }
  return strips.flatMap((strip) => chain(strip.sort((one, other) => one.fragment.baseline - other.fragment.baseline)))
}

interface Neighbours {
  /** To the nearest text on the same height, in parts of the font size. */
  readonly gap: number
  /** Whether that is no single letter. */
  readonly words: boolean
}

/** What stands beside each fragment on its own height. */
const findNeighbours = (
  fragments: ReadonlyArray<Fragment>,
  letters: ReadonlySet<Fragment>
): ReadonlyMap<Fragment, Neighbours> => {
  const found = new Map<Fragment, Neighbours>()
  const note = (fragment: Fragment, other: Fragment, distance: number): void => {
    const gap = distance / fragment.size
    const known = found.get(fragment)
    const words = !letters.has(other)
    found.set(fragment, { gap: Math.min(gap, known?.gap ?? Infinity), words: words || known?.words === true })
  }
  const sorted = fragments.slice().sort((one, other) => one.baseline - other.baseline)
  let row: Array<Fragment> = []
  const end = (): void => {
    row.sort((one, other) => one.left - other.left)
    row.forEach((fragment, index) => {
      const before = row[index - 1]
      if (before === undefined) return
      const distance = fragment.left - before.right
      note(fragment, before, distance)
      note(before, fragment, distance)
    })
    row = []
  }
  for (const fragment of sorted) {
    if (row[0] !== undefined && fragment.baseline - row[0].baseline > level * fragment.size) end()
    row.push(fragment)
  }
  end()
  return found
}

const isVertical = (column: ReadonlyArray<Letter>, neighbours: ReadonlyMap<Fragment, Neighbours>): boolean => {
  if (column.length < fewestInColumn) return false
  if (column.filter(({ ideograph }) => ideograph).length < 0.6 * column.length) return false
  let nearer = 0
  let words = 0
  for (let index = 1; index < column.length; index++) {
    const [above, letter] = [column[index - 1]?.fragment, column[index]?.fragment]
    if (above === undefined || letter === undefined) continue
    const step = (letter.baseline - above.baseline) / letter.size - 1
    const side = neighbours.get(letter)
    if (side === undefined || step + clearlyNearer <= side.gap) nearer++
    if (side?.words === true) words++
  }
  return nearer >= 0.7 * (column.length - 1) && 2 * words < column.length
}

/** What is left of the last column, or a column with one or two letters, beside the others. */
const isBeside = (
  column: ReadonlyArray<Letter>,
  tops: ReadonlyArray<readonly [centre: number, top: number]>,
  neighbours: ReadonlyMap<Fragment, Neighbours>
): boolean => {
  const first = column[0]
  if (first === undefined || !column.every(({ ideograph }) => ideograph)) return false
  if (column.some(({ fragment }) => neighbours.get(fragment)?.words === true)) return false
  const { size, baseline } = first.fragment
  let [from, until] = [0, tops.length]
  while (from < until) {
    const middle = (from + until) >> 1
    if ((tops[middle]?.[0] ?? 0) < first.centre - beside * size) from = middle + 1
    else until = middle
  }
  for (let index = from; index < tops.length && index < from + 16; index++) {
    const [centre = 0, top = 0] = tops[index] ?? []
    if (centre - first.centre > beside * size) return false
    if (Math.abs(top - baseline) <= 1.2 * size) return true
  }
  return false
}

/** One fragment for a column, in the frame that is turned by a quarter: along it, and from the right to the left. */
const toFragment = (column: ReadonlyArray<Letter>, ascent: number): Fragment => {
  const centres = Float64Array.from(column, ({ centre }) => centre).sort()
  const size = column.reduce((most, { fragment }) => Math.max(most, fragment.size), 0)
  const [first, last] = [column[0]?.fragment, column.at(-1)?.fragment]
  return {
    text: column.map(({ fragment }) => fragment.text).join(""),
    left: (first?.baseline ?? 0) - ascent * size,
    right: (last?.baseline ?? 0) + (1 - ascent) * size,
    baseline: (ascent - 0.5) * size - (centres[centres.length >> 1] ?? 0),
    size,
    rightToLeft: false,
    spaced: false,
    order: first?.order ?? 0,
    glyphs: undefined,
    look: first?.look ?? 0,
    tag: first?.tag
  }
}

export interface Upright {
  /** In the frame that is turned by a quarter. */
  readonly columns: ReadonlyArray<Fragment>
  readonly rest: ReadonlyArray<Fragment>
}

/** Takes the vertical columns out of horizontal fragments. Undefined if there are none, as on almost all pages. */
export const findUpright = (fragments: ReadonlyArray<Fragment>, ascent: number): Upright | undefined => {
  let ideographs = 0
  for (const { text } of fragments) if (text.length <= 2 && isUnspaced(text.charCodeAt(0))) ideographs++
  if (ideographs < fewestOnPage) return undefined
  const letters = fragments.flatMap((fragment) => toLetter(fragment) ?? [])
  const columns = toColumns(letters)
  const neighbours = findNeighbours(fragments, new Set(letters.map(({ fragment }) => fragment)))
  const vertical = columns.filter((column) => isVertical(column, neighbours))
  if (vertical.length === 0) return undefined
  const known = new Set(vertical)
  const tops = vertical
    .map((column) => [column[0]?.centre ?? 0, column[0]?.fragment.baseline ?? 0] as const)
    .sort((one, other) => one[0] - other[0])
  for (const column of columns) {
    if (!known.has(column) && isBeside(column, tops, neighbours)) vertical.push(column)
  }
  const taken = new Set(vertical.flatMap((column) => column.map(({ fragment }) => fragment)))
  return {
    columns: vertical.map((column) => toFragment(column, ascent)),
    rest: fragments.filter((fragment) => !taken.has(fragment))
  }
}
