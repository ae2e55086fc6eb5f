// Divides the text of a line where its looks change.
import type { Fragment } from "../Fragment.ts"
import type { Link, Links } from "../Links.ts"
import type { Line } from "../Lines.ts"
import type { Piece } from "./LineText.ts"
import { linePieces } from "./LineText.ts"
import type { Segment } from "../Segments.ts"
import { separator } from "../Segments.ts"

/** A part of a line in one look. The texts of a line's spans, one after the other, are its text. Coordinates are those of the frame. */
export interface Span {
  text: string
  readonly size: number
  readonly look: number
  readonly raised: boolean
  left: number
  right: number
  readonly baseline: number
  readonly link: string | undefined
}

const raisedBy = 0.15
const raisedSize = 0.88
const sameSize = 0.25

const isRaised = ({ baseline, size }: Fragment, line: Line): boolean =>
  size < raisedSize * line.size && line.baseline - baseline > raisedBy * line.size

const joins = (span: Span, part: Fragment, raised: boolean, link: string | undefined): boolean =>
  span.look === part.look && span.raised === raised && span.link === link && Math.abs(span.size - part.size) <= sameSize

const piecesOfSegment = (segment: Segment, before: Segment | undefined): ReadonlyArray<Piece> => {
  const { parts, ends, text } = segment
  const space =
    before === undefined
      ? ""
      : separator(before.text, text, segment.left - before.right, Math.min(before.size, segment.size), segment.spaced)
  return parts.map((part, index) => ({
    text: (index === 0 ? space : "") + text.slice(index === 0 ? 0 : ends[index - 1], ends[index]),
    part
  }))
}

/** By fragments; by glyphs where that is not enough. */
const piecesOf = ({ segments, isReordered }: Line, byGlyphs: boolean): ReadonlyArray<Piece> =>
  isReordered || byGlyphs
    ? linePieces(
        segments,
        segments.some(({ rightToLeft }) => rightToLeft)
      )
    : segments.flatMap((segment, index) => piecesOfSegment(segment, segments[index - 1]))

/** Whether all of a line looks alike; most lines do. */
const isOfOneLook = ({ segments }: Line): boolean => {
  const first = segments[0]?.parts[0]
  if (first === undefined) return true
  for (const { parts } of segments) {
    for (const { look, size, baseline } of parts) {
      if (look !== first.look || Math.abs(size - first.size) > sameSize) return false
      if (Math.abs(baseline - first.baseline) > sameSize * size) return false
    }
  }
  return true
}

/** The pieces as they stand in the line's text, which may have fewer spaces. */
const fitted = (pieces: ReadonlyArray<Piece>, text: string): ReadonlyArray<Piece> | undefined => {
  const found: Array<Piece> = []
  let at = 0
  for (const piece of pieces) {
    const { text: own } = piece
    let kept = ""
    for (const character of own) {
      if (text.startsWith(character, at)) {
        kept += character
        at += character.length
      } else if (character !== " ") {
        return undefined
      }
    }
    if (kept !== "") found.push({ ...piece, text: kept })
  }
  return at === text.length ? found : undefined
}

const linkAt = (links: ReadonlyArray<Link>, { left, right, part }: Piece): string | undefined => {
  if (links.length === 0) return undefined
  const middle = ((left ?? part?.left ?? 0) + (right ?? part?.right ?? 0)) / 2
  return links.find((link) => link.left <= middle && middle <= link.right)?.target
}

/** The spans of a line. `links` are those of the page, if the line is upright. */
export const spansOf = (line: Line, links?: Links): ReadonlyArray<Span> => {
  const { text, left, right, baseline, size } = line
  const first = line.segments[0]?.parts[0]
  const near = links?.at(baseline - 0.3 * size).filter((link) => link.left < right && link.right > left) ?? []
  const whole = (): ReadonlyArray<Span> => [
    { text, size: first?.size ?? size, look: first?.look ?? 0, raised: false, left, right, baseline, link: undefined }
  ]
  if (near.length === 0 && isOfOneLook(line)) return whole()
  const pieces = fitted(piecesOf(line, near.length > 0), text) ?? fitted(piecesOf(line, false), text)
  if (pieces === undefined) return whole()
  const spans: Array<Span> = []
  let open: Span | undefined
  for (const piece of pieces) {
    const { part } = piece
    if (part === undefined) {
      // A space belongs to what is before it.
      if (open !== undefined) open.text += piece.text
      continue
    }
    const raised = isRaised(part, line)
    const link = linkAt(near, piece)
    const [from, to] = [piece.left ?? part.left, piece.right ?? part.right]
    if (open !== undefined && joins(open, part, raised, link)) {
      open.text += piece.text
      if (from < open.left) open.left = from
      if (to > open.right) open.right = to
      continue
    }
    open = {
      text: piece.text,
      size: part.size,
      look: part.look,
      raised,
      left: from,
      right: to,
      baseline: part.baseline,
      link
    }
    spans.push(open)
  }
  return spans.length === 0 ? whole() : spans
}
