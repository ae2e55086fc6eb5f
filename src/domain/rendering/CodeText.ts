import { type LayoutLine, textOfLine } from "../document/PageLayout.ts"

const longestIndent = 200

/** The width of one letter: what most of the lines agree on. */
const letterWidth = (lines: ReadonlyArray<LayoutLine>): number => {
  const widths = lines.flatMap((line) => {
    const { length } = textOfLine(line)
    return length === 0 || line.box.width <= 0 ? [] : [line.box.width / length]
  })
  return widths.sort((a, b) => a - b)[Math.floor(widths.length / 2)] ?? 0
}

/** Lines of code with the indents and empty lines that their places show. */
export const codeText = (lines: ReadonlyArray<LayoutLine>): string => {
  const width = letterWidth(lines)
  const left = Math.min(...lines.map(({ box }) => box.x))
  let bottom: number | undefined
  const rows: Array<string> = []
  for (const line of lines) {
    const { box } = line
    if (bottom !== undefined && box.height > 0 && box.y - bottom > box.height) rows.push("")
    bottom = box.y + box.height
    const indent = width > 0 ? Math.round((box.x - left) / width) : 0
    rows.push(`${" ".repeat(Math.max(0, Math.min(indent, longestIndent)))}${textOfLine(line).trimEnd()}`)
  }
  return rows.join("\n")
}
