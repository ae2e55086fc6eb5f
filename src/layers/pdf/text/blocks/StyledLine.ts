// A line with what its spans say of it as a whole.
import type { Links } from "../Links.ts"
import type { Line } from "../Lines.ts"
import { bold, italic, mono } from "../Looks.ts"
import type { Span } from "../lines/Spans.ts"
import { spansOf } from "../lines/Spans.ts"

export interface StyledLine extends Line {
  readonly spans: ReadonlyArray<Span>
  /** Letters, figures and signs, without spaces. */
  readonly characters: number
  /** Of most characters. `size` is that of the largest. */
  readonly usualSize: number
  readonly isBold: boolean
  readonly isItalic: boolean
  readonly isMono: boolean
}

const nearlyAll = 0.9

const charactersOf = (text: string): number => {
  let count = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== 32) count++
  return count
}

export const styledLine = (line: Line, links?: Links): StyledLine => {
  const spans = spansOf(line, links)
  const only = spans[0]
  if (spans.length === 1 && only !== undefined) {
    const { look, size } = only
    return {
      ...line,
      spans,
      characters: charactersOf(only.text),
      usualSize: size,
      isBold: (look & bold) !== 0,
      isItalic: (look & italic) !== 0,
      isMono: (look & mono) !== 0
    }
  }
  const sizes = new Map<number, number>()
  const shares = { [bold]: 0, [italic]: 0, [mono]: 0 }
  let characters = 0
  for (const { text, look, size } of spans) {
    const count = charactersOf(text)
    characters += count
    sizes.set(size, (sizes.get(size) ?? 0) + count)
    for (const bit of [bold, italic, mono] as const) if ((look & bit) !== 0) shares[bit] += count
  }
  let usualSize = line.size
  let most = 0
  for (const [size, count] of sizes) {
    if (count <= most) continue
    most = count
    usualSize = size
  }
  return {
    ...line,
    spans,
    characters,
    usualSize,
    isBold: shares[bold] >= nearlyAll * characters,
    isItalic: shares[italic] >= nearlyAll * characters,
    isMono: shares[mono] >= nearlyAll * characters
  }
}
