// Lines at the head and the foot of a page that may belong to the page and not to its text. Whether they are repeated on other
// pages is for the document to tell.
import type { PageStyle } from "./PageStyle.ts"
import type { StyledLine } from "./StyledLine.ts"

const headPart = 0.12
const footPart = 0.88
// In parts of the font size.
const apart = 0.9
const largest = 1.3
const mostRows = 2
const longest = 160

const pageNumber = /^(?:page\s+)?[-–—|\s]*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:\/|of)\s*\d{1,4})?[-–—|\s]*$/i

export interface Margins {
  readonly head: ReadonlyArray<StyledLine>
  readonly foot: ReadonlyArray<StyledLine>
}

const mayBeMargin = (line: StyledLine, style: PageStyle): boolean =>
  line.text.length <= longest && (line.usualSize <= largest * style.bodySize || pageNumber.test(line.text))

/** The rows at one end of a page: from the outermost inwards, as long as each stands off from the text. */
const outerRows = (
  lines: ReadonlyArray<StyledLine>,
  style: PageStyle,
  isOuter: (line: StyledLine) => boolean,
  gapBetween: (outer: StyledLine, inner: StyledLine) => number
): ReadonlyArray<StyledLine> => {
  const found: Array<StyledLine> = []
  for (let row = 0, at = 0; row < mostRows && at < lines.length; row++) {
    const first = lines[at]
    if (first === undefined || !isOuter(first)) break
    let until = at + 1
    while (Math.abs((lines[until]?.baseline ?? Infinity) - first.baseline) < 0.5 * first.size) until++
    const own = lines.slice(at, until)
    const next = lines[until]
    const gap = next === undefined ? Infinity : gapBetween(first, next)
    const isNumber = own.some(({ text }) => pageNumber.test(text))
    const standsOff = gap > apart * Math.max(first.usualSize, style.bodySize)
    // A heading may stand below a running line.
    if (row > 0 && own.some((line) => line.isBold || line.usualSize > 1.04 * style.bodySize)) break
    if (!own.every((line) => mayBeMargin(line, style)) || !(standsOff || (isNumber && gap > 0.2 * first.size))) break
    found.push(...own)
    at = until
  }
  return found
}

export const findMargins = (
  lines: ReadonlyArray<StyledLine>,
  style: PageStyle,
  { height, top }: { readonly top: number; readonly height: number }
): Margins => {
  const down = lines.toSorted((one, other) => one.baseline - other.baseline)
  const up = down.toReversed()
  const head = outerRows(
    down,
    style,
    ({ bottom }) => bottom <= top + headPart * height,
    (outer, inner) => inner.top - outer.bottom
  )
  const foot = outerRows(
    up,
    style,
    (line) => line.top >= top + footPart * height,
    (outer, inner) => outer.top - inner.bottom
  )
  const heads = new Set(head)
  return { head, foot: foot.filter((line) => !heads.has(line)) }
}
