import { linesPage, writePdf } from "../examples/pdf-writer.ts"

/** What a bench found: one row a figure, one value a round. */
export type Report = ReadonlyArray<{
  readonly name: string
  readonly unit: string
  readonly figures: ReadonlyArray<number>
}>

const words = "a page of plain prose with lines of ordinary length and words that repeat like those of a manual".split(
  " "
)

/** Pages of 45 lines of text. Files with another `salt` have other bytes. */
export const prosePdf = (pages: number, salt: number): Uint8Array => {
  const line = (page: number, row: number) =>
    Array.from({ length: 14 }, (_, column) => words[(salt + page * 7 + row * 3 + column * 5) % words.length]).join(" ")
  return writePdf({
    pages: Array.from({ length: pages }, (_, page) =>
      linesPage([`File ${salt}, page ${page + 1}`, ...Array.from({ length: 44 }, (_, row) => line(page, row))], {
        size: 9
      })
    )
  })
}

/** Pages that cost more time the more lines they have. */
export const costlyPdf = (pages: number, lines: number): Uint8Array =>
  writePdf({
    pages: Array.from({ length: pages }, (_, page) => ({
      text: Array.from({ length: lines }, (_, row) => ({
        text: `${words[(page + row) % words.length]} ${words[(page * 3 + row * 5) % words.length]} ${page} ${row}`,
        x: 72 + 100 * (row % 4),
        y: 770 - (row / lines) * 700,
        size: 6
      }))
    }))
  })
