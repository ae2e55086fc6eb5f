// Sets text into a column, and goes on in the next column or page when one is full. What is set is also the truth about it.
import { type Font, page, type Pen, widthOf } from "./Pen.ts"

export interface Column {
  readonly x: number
  readonly width: number
}

export interface FlowOptions {
  readonly columns: ReadonlyArray<Column>
  /** Set on every page, beside the text. */
  readonly furniture?: (pen: Pen, number: number) => void
  /** Lines begin at the right. */
  readonly fromRight?: boolean
}

const top = 80
const bottom = 740

/** The words of a line are drawn from the left as they are seen, so right-to-left text is turned round. */
const asDrawn = (text: string): string => Array.from(text).toReversed().join("")

export class Flow {
  readonly #pen: Pen
  readonly #options: FlowOptions
  readonly #truth: Array<string> = []
  #column = 0
  #top = top
  y = top

  constructor(pen: Pen, options: FlowOptions) {
    this.#pen = pen
    this.#options = options
    this.#newPage()
  }

  get markdown(): string {
    return `${this.#truth.join("\n\n")}\n`
  }

  say(markdown: string): void {
    this.#truth.push(markdown)
  }

  get column(): Column {
    return this.#options.columns[this.#column] ?? { x: 72, width: 450 }
  }

  /** The next columns begin here. */
  startColumns(): void {
    this.#top = this.y
  }

  /** Goes on in the next column or page unless there is so much room. */
  need(height: number): boolean {
    if (this.y + height <= bottom) return false
    this.#column++
    this.y = this.#top
    if (this.#column >= this.#options.columns.length) this.#newPage()
    return true
  }

  #newPage(): void {
    this.#pen.newPage()
    this.#column = 0
    this.#top = top
    this.y = top
    this.#options.furniture?.(this.#pen, this.#pen.pages)
  }

  heading(level: number, text: string, font: Font = "bold"): void {
    const size = [22, 16, 13][level - 1] ?? 12
    this.y += size
    this.need(size * 4)
    this.#line(text, size, font, 0)
    this.y += size * 0.4
    this.say(`${"#".repeat(level)} ${text}`)
  }

  paragraph(
    text: string,
    { font = "regular", size = 10 }: { readonly font?: Font; readonly size?: number } = {}
  ): void {
    this.#lines(text, size, font, 0)
    this.y += size
    this.say(text)
  }

  item(marker: string, depth: number, text: string): void {
    const indent = 14 + 16 * depth
    this.need(14)
    this.#pen.text(marker, this.column.x + indent - 14, this.y, 10, "regular")
    this.#lines(text, 10, "regular", indent)
    this.y += 2
  }

  code(lines: ReadonlyArray<string>): void {
    this.need(lines.length * 11)
    for (const line of lines) {
      const indent = line.length - line.trimStart().length
      this.#pen.text(line.trimStart(), this.column.x + indent * 5.4, this.y, 9, "mono")
      this.y += 11
    }
    this.y += 10
    this.say(`\`\`\`\n${lines.join("\n")}\n\`\`\``)
  }

  #lines(text: string, size: number, font: Font, indent: number): void {
    const { width } = this.column
    let line = ""
    for (const part of partsOf(text, font)) {
      const longer = line === "" ? part.trimStart() : `${line}${part}`
      if (line !== "" && widthOf(longer, size, font) > width - indent) {
        this.#line(line, size, font, indent)
        line = part.trimStart()
      } else line = longer
    }
    if (line !== "") this.#line(line, size, font, indent)
  }

  #line(text: string, size: number, font: Font, indent: number): void {
    this.need(size)
    const { width, x } = this.column
    const fromRight = this.#options.fromRight === true
    const at = fromRight ? x + width - indent - widthOf(text, size, font) : x + indent
    this.#pen.text(fromRight ? asDrawn(text) : text, at, this.y, size, font)
    this.y += size * 1.25
  }
}

/** Where a line may end: before a blank, and in Chinese before every character but those that close a sentence. */
const partsOf = (text: string, font: Font): ReadonlyArray<string> =>
  font === "world" && /[\u4e00-\u9fff]/.test(text)
    ? (text.match(/[^。，、][。，、]*/g) ?? [])
    : (text.match(/\s*\S+/g) ?? [])

export const single: ReadonlyArray<Column> = [{ x: 72, width: page.width - 144 }]
export const double: ReadonlyArray<Column> = [
  { x: 60, width: 225 },
  { x: 310, width: 225 }
]
