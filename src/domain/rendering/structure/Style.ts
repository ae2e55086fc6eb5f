import type { LayoutLine } from "../../document/PageLayout.ts"

/** What most of a text is set in. Sizes are rounded to half points: files give the same size with small differences. */
export interface TextStyle {
  readonly size: number
  readonly bold: boolean
}

export const styleKey = ({ bold, size }: TextStyle): string => `${size}${bold ? "b" : ""}`

/** How much of a text has to be bold for all of it to count as bold. */
const boldShare = 0.7

/** Adds the characters of the lines to the number of characters per style. */
export const countStyles = (lines: ReadonlyArray<LayoutLine>, counts: Map<string, number>): void => {
  for (const { spans } of lines) {
    for (const { bold = false, size, text } of spans) {
      const key = styleKey({ bold, size: Math.round(size * 2) / 2 })
      counts.set(key, (counts.get(key) ?? 0) + text.trim().length)
    }
  }
}

/** The size of most characters, and whether the text is bold. Raised signs do not count. */
export const styleOfLines = (lines: ReadonlyArray<LayoutLine>): TextStyle => {
  const sizes = new Map<number, number>()
  let bold = 0
  let all = 0
  for (const { spans } of lines) {
    for (const span of spans) {
      const { length } = span.text.trim()
      if (span.raised === true || length === 0) continue
      const size = Math.round(span.size * 2) / 2
      sizes.set(size, (sizes.get(size) ?? 0) + length)
      all += length
      if (span.bold === true) bold += length
    }
  }
  let most = 0
  let size = 0
  for (const [each, count] of sizes) if (count > most) [size, most] = [each, count]
  return { size, bold: all > 0 && bold >= all * boldShare }
}
