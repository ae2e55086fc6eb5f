// How wide the letters of Helvetica are, for tests that place each by itself.
const groups: ReadonlyArray<readonly [letters: string, thousandths: number]> = [
  ["ijl", 222],
  [" ,.!/ftI", 278],
  ["-r()", 333],
  ["ckJsvxyz", 500],
  ["0123456789abdeghnopquL", 556],
  ["FTZ", 611],
  ["&ABEKPSVXY", 667],
  ["CDHNRUw", 722],
  ["GOQ", 778],
  ["Mm", 833],
  ["W", 944]
]
const widths = new Map(groups.flatMap(([letters, width]) => [...letters].map((letter) => [letter, width] as const)))

/** In parts of the font size. */
export const widthOf = (text: string): number =>
  [...text].reduce((sum, letter) => sum + (widths.get(letter) ?? NaN), 0) / 1000

/** Operators that show a piece of text at a place in the regular font of the test files. */
export const show = (text: string, x: number, y: number, size: number): string =>
  `BT /F1 ${size} Tf 1 0 0 1 ${x.toFixed(3)} ${y.toFixed(3)} Tm (${text.replace(/[\\()]/g, "\\$&")}) Tj ET`
