// Divides the text of a line where its looks change.
import type { Fragment } from "./Fragment.ts"
import type { Line } from "./Lines.ts"
import type { Piece } from "./LineText.ts"
import { linePieces } from "./LineText.ts"
import type { Segment } from "./Segments.ts"
import { separator } from "./Segments.ts"

/** A part of a line in one look. The texts of a line's spans, one after the other, are its text. Coordinates are those of the frame. */
export interface Span {
  text: string
  readonly size: number
  readonly look: number
  readonly raised: boolean
  left: number
  right: number
  readonly baseline: number
}

const raisedBy = 0.15
const raisedSize = 0.88
const sameSize = 0.25

const isRaised = ({ baseline, size }: Fragment, line: Line): boolean =>
  size < raisedSize * line.size && line.baseline - baseline > raisedBy * line.size

const joins = (span: Span, part: Fragment, raised: boolean): boolean =>
  span.look === part.look && span.raised === raised && Math.abs(span.size - part.size) <= sameSize

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

const piecesOf = ({ segments, isReordered }: Line): ReadonlyArray<Piece> =>
  isReordered
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
  for (const { text: own, part } of pieces) {
    let kept = ""
    for (const character of own) {
      if (text.startsWith(character, at)) {
        kept += character
        at += character.length
      } else if (character !== " ") {
        return undefined
      }
    }
    if (kept !== "") found.push({ text: kept, part })
  }
  return at === text.length ? found : undefined
}

/** The spans of a line. */
export const spansOf = (line: Line): ReadonlyArray<Span> => {
  const { text, left, right, baseline, size } = line
  const first = line.segments[0]?.parts[0]
  const whole = (): ReadonlyArray<Span> => [
    { text, size: first?.size ?? size, look: first?.look ?? 0, raised: false, left, right, baseline }
  ]
  if (isOfOneLook(line)) return whole()
  const pieces = fitted(piecesOf(line), text)
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
    if (open !== undefined && joins(open, part, raised)) {
      open.text += piece.text
      if (part.left < open.left) open.left = part.left
      if (part.right > open.right) open.right = part.right
      continue
    }
    open = {
      text: piece.text,
      size: part.size,
      look: part.look,
      raised,
      left: part.left,
      right: part.right,
      baseline: part.baseline
    }
    spans.push(open)
  }
  return spans.length === 0 ? whole() : spans
}
