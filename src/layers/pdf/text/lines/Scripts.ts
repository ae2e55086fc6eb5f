// Subscripts, superscripts, ordinals and marks of notes: small text that belongs to the line on which it is raised or
// lowered. Most files draw it where it is read; some draw all of it after its line, which then has holes for it.
import type { Fragment } from "../Fragment.ts"
import { glyphsOf, sliceOf } from "../Glyphs.ts"
import type { Segment } from "../Segments.ts"
import { isRaisedOrLowered, isScript } from "../Segments.ts"

/** A line while it is put together. `baseline` and `size` are those of its largest text. */
export interface OpenLine {
  readonly segments: Array<Segment>
  baseline: number
  size: number
}

const longestScript = 12
const neighbouringLines = 4
// More on one line are only found in files made to cost time.
const mostScripts = 64
const longestHost = 2000

/** The segment in two, with room for `script` between; undefined if there is none. */
const splitAround = (segment: Segment, script: Segment): readonly [Segment, Segment] | undefined => {
  if (segment.text.length > longestHost) return undefined
  const tolerance = 0.15 * script.size
  const middle = (script.left + script.right) / 2
  const before: Array<Fragment> = []
  const after: Array<Fragment> = []
  for (const part of segment.parts) {
    const glyphs = glyphsOf(part)
    const from = glyphs.findIndex(({ left, right }) => left + right > 2 * middle)
    const cut = from < 0 ? glyphs.length : from
    const [last, first] = [glyphs[cut - 1], glyphs[cut]]
    if (last !== undefined && last.right > script.left + tolerance) return undefined
    if (first !== undefined && first.left < script.right - tolerance) return undefined
    if (cut > 0) before.push(cut === glyphs.length ? part : sliceOf(part, glyphs, 0, cut))
    if (first === undefined) continue
    // The script fills what pdf.js took for a space.
    const rest = cut === 0 ? part : sliceOf(part, glyphs, cut, glyphs.length)
    after.push(after.length === 0 ? { ...rest, spaced: first.tracking === -1 } : rest)
  }
  const [end, start] = [before.at(-1), after[0]]
  if (end === undefined || start === undefined) return undefined
  const textOf = (parts: ReadonlyArray<Fragment>): string => parts.map(({ text }) => text).join("")
  return [
    { ...segment, text: textOf(before), right: end.right, parts: before, ends: [] },
    { ...segment, text: textOf(after), left: start.left, parts: after, ends: [], spaced: start.spaced }
  ]
}

const touches = (segment: Segment, script: Segment): boolean => {
  const gap = Math.max(segment.left - script.right, script.left - segment.right)
  return isScript(segment, script, gap) || (gap < 0 && splitAround(segment, script) !== undefined)
}

/** Moves lines that are nothing but scripts of a line near them to that line. `lines` are ordered by height. */
export const attachScripts = (lines: ReadonlyArray<OpenLine>): Array<OpenLine> => {
  const left: Array<OpenLine> = []
  lines.forEach((line, index) => {
    if (
      line.segments.length > mostScripts ||
      line.segments.some(({ text, rightToLeft }) => text.length > longestScript || rightToLeft)
    ) {
      left.push(line)
      return
    }
    for (let step = -neighbouringLines; step <= neighbouringLines; step++) {
      const host = lines[index + step]
      if (host === undefined || host === line || !isRaisedOrLowered(line, host)) continue
      const hosts = host.segments.filter((segment) => segment.size > line.size)
      if (!line.segments.every((script) => hosts.some((segment) => touches(segment, script)))) continue
      host.segments.push(...line.segments)
      return
    }
    left.push(line)
  })
  return left
}

const unspaced = (segment: Segment): Segment => ({
  ...segment,
  spaced: false,
  parts: segment.parts.map((part, index) => (index === 0 ? { ...part, spaced: false } : part))
})

/** Segments that are ordered from left to right, but one with a hole in which a script stands is split there. */
export const aroundScripts = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> => {
  let split: Array<Segment> | undefined
  let scripts = 0
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index]
    const before = split === undefined ? segments[index - 1] : split.at(-1)
    if (segment === undefined || before === undefined) continue
    if (scripts < mostScripts && segment.right < before.right && isRaisedOrLowered(segment, before)) {
      scripts++
      const halves = segment.left < before.left ? undefined : splitAround(before, segment)
      if (halves !== undefined) {
        split ??= segments.slice(0, index)
        split.splice(-1, 1, halves[0], unspaced(segment), halves[1])
        continue
      }
      if (split !== undefined && segment.left < before.left) {
        split.splice(-1, 0, unspaced(segment))
        continue
      }
    }
    // Beside a script, which may be drawn late, a blank of the file does not count: a real one also leaves a gap.
    const near = segment.spaced && (isRaisedOrLowered(segment, before) || isRaisedOrLowered(before, segment))
    if (near) split ??= segments.slice(0, index)
    split?.push(near ? unspaced(segment) : segment)
  }
  return split ?? segments
}
