import { assert, describe, it } from "@effect/vitest"
import type { TextRun } from "../../../../src/layers/pdf/text/Fragments.ts"
import { bareMatter, layoutText } from "../../../../src/layers/pdf/text/Layout.ts"

const viewport = { width: 600, height: 800, transform: [1, 0, 0, -1, 0, 800] }

interface Run {
  readonly str: string
  readonly x: number
  /** From the top of the page. */
  readonly y: number
  readonly size?: number
  readonly width?: number
  readonly dir?: string
}

const run = ({ str, x, y, size = 10, width = str.length * size * 0.5, dir = "ltr" }: Run): TextRun => ({
  str,
  dir,
  width,
  height: size,
  transform: [size, 0, 0, size, x, 800 - y]
})

const layout = (runs: ReadonlyArray<Run>) => layoutText(runs.map(run), bareMatter(viewport))
const textOf = (...runs: ReadonlyArray<Run>): string => layout(runs).text

const sentence = "the quick brown fox jumps over a dog"
const columnLines = (side: string, x: number, from: number, count: number, pitch = 12): ReadonlyArray<Run> =>
  Array.from({ length: count }, (_, index) => ({ str: `${side}${index + 1} ${sentence}`, x, y: from + index * pitch }))

/** The runs of both, one from each in turn: as a file that is written row by row. */
const interleaved = (left: ReadonlyArray<Run>, right: ReadonlyArray<Run>): ReadonlyArray<Run> =>
  left.flatMap((item, index) => [item, ...right.slice(index, index + 1)])

const firstWords = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .join(" ")

describe("words", () => {
  it("joins kerned pieces without a space", () => {
    assert.strictEqual(textOf({ str: "A", x: 50, y: 50 }, { str: "VOCADO", x: 54.4, y: 50 }), "AVOCADO")
  })

  it("puts a space where there is a gap", () => {
    assert.strictEqual(textOf({ str: "two", x: 50, y: 50 }, { str: "words", x: 67.5, y: 50 }), "two words")
  })

  it("trusts white space of the file where the gap is narrow", () => {
    const narrow = [
      { str: "two", x: 50, y: 50 },
      { str: " ", x: 65, y: 50, width: 0 },
      { str: "words", x: 65.5, y: 50 }
    ]
    assert.strictEqual(textOf(...narrow), "two words")
  })

  it("joins pieces by place, not by their order in the file", () => {
    assert.strictEqual(
      textOf({ str: "world", x: 80, y: 50 }, { str: "below", x: 50, y: 62 }, { str: "Hello", x: 50, y: 50 }),
      "Hello world\nbelow"
    )
  })

  it("keeps hyphens, and writes ligatures as letters", () => {
    assert.strictEqual(textOf({ str: "re-\ufb01ne\u2010d \ufb03x", x: 50, y: 50 }), "re-fine\u2010d ffix")
  })

  it("writes Arabic presentation forms as letters", () => {
    // Initial, medial, final and isolated letters, then ligatures: lam-khah, lam-alef, a word.
    const forms = {
      "\ufee3\ufe8e\u0630\u0627": "ماذا",
      "\ufccb\ufef4\ufeb2": "لخيس",
      "\u0633\ufefc\u0645": "سلام",
      "\ufdf2": "الله"
    }
    for (const [str, letters] of Object.entries(forms)) {
      assert.strictEqual(textOf({ str, x: 50, y: 50, dir: "rtl" }), letters)
    }
  })

  it("keeps an Arabic vowel mark with its letter", () => {
    assert.strictEqual(textOf({ str: "\ufead\ufe70\ufe8d", x: 50, y: 50, dir: "rtl" }), "ر\u064bا")
  })

  it("takes spaces of every width for spaces", () => {
    assert.strictEqual(textOf({ str: "12\u202f000\u00a0km", x: 50, y: 50 }), "12 000 km")
  })

  it("leaves other compatibility characters alone", () => {
    assert.strictEqual(textOf({ str: "x² ½ ™ Ａ", x: 50, y: 50 }), "x² ½ ™ Ａ")
  })

  it("removes what cannot be seen or stored", () => {
    assert.strictEqual(textOf({ str: "a\u0000b\u200bc\ufeff\ud800", x: 50, y: 50 }), "abc\ufffd")
    assert.deepStrictEqual(layout([{ str: "\u0000\u200b", x: 50, y: 50 }]), { text: "", lines: [] })
  })

  it("keeps an accent with the letter it is drawn over", () => {
    const runs = [
      { str: "space", x: 50, y: 50 },
      { str: "~", x: 81, y: 49 },
      { str: "X", x: 81, y: 50 },
      { str: "is covered", x: 89, y: 50 }
    ]
    assert.strictEqual(textOf(...runs), "space ~X is covered")
  })

  it("shows overprinted text once", () => {
    const bold = [0, 0.3, 0.6].map((shift) => ({ str: "Fake bold", x: 50 + shift, y: 50 }))
    assert.strictEqual(textOf(...bold), "Fake bold")
  })

  it("keeps letters that are doubled", () => {
    assert.strictEqual(textOf({ str: "l", x: 50, y: 50, width: 2.2 }, { str: "l", x: 52.2, y: 50, width: 2.2 }), "ll")
  })
})

describe("lines", () => {
  it("keeps superscripts and subscripts in their line", () => {
    const lines = [
      { str: "E = mc", x: 50, y: 50 },
      { str: "2", x: 80, y: 46.5, size: 6 },
      { str: "and H", x: 86, y: 50 },
      { str: "2", x: 111, y: 52, size: 6 },
      { str: "O", x: 114, y: 50 },
      { str: "next", x: 50, y: 62 }
    ]
    assert.strictEqual(textOf(...lines), "E = mc2 and H2O\nnext")
  })

  it("keeps a subscript below a superscript in their line", () => {
    const lines = [
      { str: "f", x: 50, y: 50 },
      { str: "-1", x: 55, y: 46, size: 7 },
      { str: "0", x: 55, y: 52, size: 7 },
      { str: "(V)", x: 62.5, y: 50 }
    ]
    assert.lengthOf(layout(lines).lines, 1)
  })

  it("sets an empty line where the distance is clearly greater than usual", () => {
    const ys = [50, 62, 74, 98, 110]
    assert.strictEqual(
      textOf(...ys.map((y, index) => ({ str: `line${index}`, x: 50, y }))),
      "line0\nline1\nline2\n\nline3\nline4"
    )
  })

  it("sets none in text that is double-spaced throughout", () => {
    const ys = [50, 74, 98, 122]
    assert.strictEqual(
      textOf(...ys.map((y, index) => ({ str: `line${index}`, x: 50, y }))),
      "line0\nline1\nline2\nline3"
    )
  })

  it("gives boxes in points from the top left corner", () => {
    const { lines } = layout([
      { str: "Hello", x: 50, y: 58 },
      { str: "world", x: 80, y: 58 }
    ])
    assert.deepStrictEqual(lines, [{ text: "Hello world", x: 50, y: 50, width: 55, height: 10 }])
  })

  it("puts no spaces between ideographs, and takes out those of wide tracking", () => {
    assert.strictEqual(
      textOf({ str: "日本", x: 50, y: 50, width: 20 }, { str: "語", x: 72, y: 50, width: 10 }),
      "日本語"
    )
    assert.strictEqual(textOf({ str: "目 次", x: 50, y: 50, width: 40 }), "目次")
    assert.strictEqual(textOf({ str: "한국 사람", x: 50, y: 50, width: 45 }), "한국 사람")
  })

  it("reads right to left where the script does", () => {
    const words = [
      { str: "שלום", x: 100, y: 50, dir: "rtl", width: 20 },
      { str: "עולם", x: 75, y: 50, dir: "rtl", width: 20 }
    ]
    assert.strictEqual(textOf(...words), "שלום עולם")
    assert.strictEqual(textOf(...words.toReversed()), "שלום עולם")
  })

  it("keeps words of the other direction in their own order", () => {
    const words = [
      { str: "שלום", x: 140, y: 50, dir: "rtl", width: 20 },
      { str: "Effect", x: 70, y: 50, width: 28 },
      { str: "4.1", x: 102, y: 50, width: 15 },
      { str: "עולם", x: 40, y: 50, dir: "rtl", width: 20 }
    ]
    assert.strictEqual(textOf(...words), "שלום Effect 4.1 עולם")
  })

  it("does not merge two small lines beside a large one", () => {
    const runs = [
      { str: "LARGE", x: 100, y: 60, size: 24 },
      { str: "upper", x: 50, y: 50, size: 9 },
      { str: "lower", x: 50, y: 59, size: 9 }
    ]
    assert.notInclude(textOf(...runs), "upper lower")
  })
})

describe("columns", () => {
  const left = columnLines("L", 50, 100, 8)
  const right = columnLines("R", 310, 100, 8)
  const inOrder = "L1 L2 L3 L4 L5 L6 L7 L8  R1 R2 R3 R4 R5 R6 R7 R8"

  it("reads one after the other when the file goes row by row", () => {
    assert.strictEqual(firstWords(textOf(...interleaved(left, right))), inOrder)
  })

  it("reads one after the other when their lines are not level", () => {
    const lower = right.map((item) => ({ ...item, y: item.y + 5 }))
    assert.strictEqual(firstWords(textOf(...interleaved(left, lower))), inOrder)
  })

  it("puts a heading over both first and a footer last", () => {
    const heading = { str: "A heading that stands over both of the two columns of text", x: 120, y: 70, size: 14 }
    const footer = { str: "page 7", x: 280, y: 700 }
    assert.strictEqual(firstWords(textOf(footer, ...interleaved(left, right), heading)), `A  ${inOrder}  page`)
  })

  it("reads what is above a heading in the middle of the page before what is below", () => {
    const heading = { str: "Second part of the page, with a heading across both of its columns", x: 60, y: 230 }
    const below = interleaved(columnLines("M", 50, 260, 4), columnLines("S", 310, 260, 4))
    assert.strictEqual(
      firstWords(textOf(...interleaved(left, right), heading, ...below)),
      `${inOrder}  Second  M1 M2 M3 M4  S1 S2 S3 S4`
    )
  })

  it("reads three columns", () => {
    const narrow = (side: string, x: number) =>
      Array.from({ length: 6 }, (_, index) => ({
        str: `${side}${index + 1} some words of a column`,
        x,
        y: 100 + 12 * index
      }))
    const rows = narrow("A", 50).flatMap((item, index) => [
      item,
      ...narrow("B", 220).slice(index, index + 1),
      ...narrow("C", 390).slice(index, index + 1)
    ])
    assert.strictEqual(firstWords(textOf(...rows)), "A1 A2 A3 A4 A5 A6  B1 B2 B3 B4 B5 B6  C1 C2 C3 C4 C5 C6")
  })

  it("keeps the rows of a table together", () => {
    const rows = ["Apples 12 3.50", "Pears 7 4.20", "Plums 140 2.99", "Cherries 3 9.00", "Quinces 1 8.10"]
    const runs = rows.flatMap((row, index) =>
      row.split(" ").map((str, column) => ({ str, x: 50 + 150 * column, y: 100 + 14 * index }))
    )
    assert.strictEqual(textOf(...runs), rows.join("\n"))
  })

  it("keeps the page number with its entry in a list of contents", () => {
    const runs = Array.from({ length: 8 }, (_, index) => [
      { str: `${index + 1} A chapter with a title of some length`, x: 50, y: 100 + 14 * index },
      { str: `${10 * index + 1}`, x: 520, y: 100 + 14 * index }
    ]).flat()
    assert.match(textOf(...runs), /^1 A chapter with a title of some length 1\n2 A chapter .* 11\n/)
  })

  it("does not take the wide gaps of justified text for a gutter", () => {
    const lines = Array.from({ length: 10 }, (_, index) => {
      const split = 12 + ((index * 7) % 40)
      const words = `${index} ${sentence} ${sentence}`
      const cut = words.indexOf(" ", split)
      return [
        { str: words.slice(0, cut), x: 50, y: 100 + 12 * index },
        { str: words.slice(cut + 1), x: 50 + cut * 5 + 8, y: 100 + 12 * index }
      ]
    }).flat()
    assert.strictEqual(textOf(...lines).split("\n").length, 10)
  })
})

describe("directions", () => {
  const turned = (quarter: number): ReadonlyArray<number> =>
    [
      [1, 0, 0, -1, 0, 800],
      [0, 1, 1, 0, 0, 0],
      [-1, 0, 0, 1, 600, 0],
      [0, -1, -1, 0, 800, 600]
    ][quarter] ?? []

  it("reads text that stands on its side, and gives its box on the page", () => {
    // Upwards along the left edge: the baseline runs against the page's y axis.
    const upwards = ["first", "second"].map((str, index) => ({
      str,
      dir: "ltr",
      width: 30,
      height: 10,
      transform: [0, 10, -10, 0, 100 + 12 * index, 200]
    }))
    const { text, lines } = layoutText(upwards, bareMatter(viewport))
    assert.strictEqual(text, "first\nsecond")
    assert.deepStrictEqual(lines[0], { text: "first", x: 92, y: 570, width: 10, height: 30 })
  })

  it("puts text of another direction last", () => {
    const stamp = { str: "stamp", dir: "ltr", width: 30, height: 10, transform: [0, 10, -10, 0, 20, 200] }
    const { text } = layoutText([stamp, run({ str: "the text of the page", x: 50, y: 50 })], bareMatter(viewport))
    assert.strictEqual(text, "the text of the page\n\nstamp")
  })

  it("turns boxes with the page", () => {
    const item = run({ str: "Hello", x: 50, y: 58 })
    const boxes = [0, 1, 2, 3].map((quarter) => {
      const size = quarter % 2 === 0 ? { width: 600, height: 800 } : { width: 800, height: 600 }
      return layoutText([item], bareMatter({ ...size, transform: turned(quarter) })).lines[0]
    })
    assert.deepStrictEqual(boxes, [
      { text: "Hello", x: 50, y: 50, width: 25, height: 10 },
      { text: "Hello", x: 740, y: 50, width: 10, height: 25 },
      { text: "Hello", x: 525, y: 740, width: 25, height: 10 },
      { text: "Hello", x: 50, y: 525, width: 10, height: 25 }
    ])
  })

  it("reads vertical writing from the right column to the left", () => {
    const column = (str: string, x: number) => ({
      str,
      dir: "ttb",
      width: 10,
      height: 30,
      transform: [10, 0, 0, 10, x, 700]
    })
    assert.strictEqual(
      layoutText([column("二行目", 480), column("一行目", 500)], bareMatter(viewport)).text,
      "一行目\n二行目"
    )
  })
})

describe("hostile input", () => {
  it("lays out 100,000 runs", () => {
    const runs = Array.from({ length: 100_000 }, (_, index) =>
      run({ str: ".", x: (index * 7919) % 600, y: (index * 104_729) % 800 })
    )
    assert.isAbove(layoutText(runs, bareMatter(viewport)).lines.length, 0)
  })

  it("survives runs without size or place", () => {
    const bad = [NaN, Infinity, 0].map((value) => ({
      str: "x",
      dir: "ltr",
      width: value,
      height: value,
      transform: [value, 0, 0, value, value, value]
    }))
    const { lines } = layoutText([...bad, { type: "beginMarkedContent" }], bareMatter(viewport))
    assert.isTrue(lines.every(({ x, y, width, height }) => [x, y, width, height].every(Number.isFinite)))
  })
})
