// Small documents whose structure is known, because it was there first: each becomes a PDF and its true Markdown.
import { double, Flow, single } from "./Flow.ts"
import { page, Pen } from "./Pen.ts"
import { setLongTable, setTable, type TrueTable } from "./TrueTable.ts"
import { chinese, hebrew, sentences } from "./Words.ts"

export interface TrueDocument {
  readonly name: string
  readonly pdf: Uint8Array
  readonly markdown: string
}

const furniture = (pen: Pen, number: number): void => {
  pen.text("Report of the harbour office", 72, 30, 8, "regular")
  pen.text(`${number}`, page.width / 2, 800, 8, "regular")
}

/** Numbered headings, and paragraphs that go on over pages, with lines that run on each. */
const report = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: single, furniture })
  flow.heading(1, "The harbour and its ships")
  for (const [index, title] of ["Arrivals", "Cargo", "Departures"].entries()) {
    flow.heading(2, `${index + 1} ${title}`)
    for (let n = 0; n < 4; n++) flow.paragraph(sentences(7, index * 10 + n))
    flow.heading(3, `${index + 1}.1 ${title} by month`)
    for (let n = 0; n < 3; n++) flow.paragraph(sentences(6, index * 10 + n + 5))
  }
  return { name: "report", pdf: pen.pdf(), markdown: flow.markdown }
}

const lists = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: single })
  flow.heading(1, "How to moor")
  flow.paragraph(sentences(4, 1))
  const steps = Array.from({ length: 5 }, (_, n) => sentences(n % 2 === 0 ? 1 : 2, 20 + n))
  for (const [n, text] of steps.entries()) flow.item(`${n + 1}.`, 0, text)
  flow.say(steps.map((text, n) => `${n + 1}. ${text}`).join("\n"))
  flow.y += 10
  flow.paragraph(sentences(3, 2))
  const tools = [0, 1, 1, 0, 1].map((depth, n) => ({ depth, text: sentences(1, 30 + n) }))
  for (const { depth, text } of tools) flow.item(depth === 0 ? "\u2022" : "-", depth, text)
  flow.say(tools.map(({ depth, text }) => `${"  ".repeat(depth)}- ${text}`).join("\n"))
  flow.y += 10
  flow.heading(2, "In code")
  flow.paragraph(sentences(2, 3))
  flow.code(["const moor = (ship) => {", "  if (ship.isLate) wait(ship)", "  return ship.name", "}"])
  flow.paragraph(sentences(3, 4))
  return { name: "lists", pdf: pen.pdf(), markdown: flow.markdown }
}

const cells = (...texts: ReadonlyArray<string>) => texts.map((text) => ({ text }))

const ships = [
  cells("Name", "Flag", "Length", "Crew"),
  cells("Aurora", "Norway", "182 m", "24"),
  cells("Bellona", "Malta", "95 m", "11"),
  cells("Corvus", "Panama", "240 m", "28"),
  cells("Dione", "Greece", "131 m", "17")
]

const spanned: TrueTable = {
  widths: [110, 85, 85, 85, 85],
  headerRows: 2,
  lines: "ruled",
  rows: [
    [
      { text: "Quay", rows: 2 },
      { text: "Spring", columns: 2 },
      { text: "Autumn", columns: 2 }
    ],
    cells("Ships", "Tonnes", "Ships", "Tonnes"),
    cells("North", "14", "2,300", "18", "2,910"),
    cells("South", "9", "1,140", "7", "860"),
    [{ text: "West", rows: 2 }, ...cells("3", "410", "5", "620")],
    cells("2", "180", "1", "95")
  ]
}

const tables = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: single, furniture })
  const widths = [130, 110, 100, 100]
  flow.heading(1, "Figures of the year")
  flow.paragraph(sentences(3, 50))
  setTable(pen, flow, spanned)
  flow.paragraph(sentences(3, 51))
  setTable(pen, flow, { widths, headerRows: 1, lines: "open", rows: ships })
  flow.paragraph(sentences(3, 52))
  setTable(pen, flow, { widths, headerRows: 1, lines: "none", rows: ships })
  flow.heading(2, "All days")
  const days = Array.from({ length: 45 }, (_, n) =>
    cells(`Day ${n + 1}`, `${(n * 37) % 90}`, `${(n * 53) % 70}.${n % 10}`, `${n % 7}`)
  )
  setLongTable(pen, flow, {
    widths,
    headerRows: 1,
    lines: "ruled",
    rows: [cells("Day", "Ships", "Tonnes", "Storms"), ...days]
  })
  flow.paragraph(sentences(3, 53))
  return { name: "tables", pdf: pen.pdf(), markdown: flow.markdown }
}

/** A heading across two columns, and notes at the foot of each. */
const columns = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: double })
  flow.heading(1, "A paper about tides and their many causes")
  flow.startColumns()
  for (const [index, title] of ["Introduction", "Method", "Result"].entries()) {
    flow.heading(2, title)
    for (let n = 0; n < 3; n++) flow.paragraph(sentences(6, 70 + index * 5 + n))
  }
  const notes = ["1 Tables of the harbour office, second edition.", "2 Letters of the pilots, kept in the archive."]
  for (const [index, note] of notes.entries()) {
    const x = double[index]?.x ?? 60
    pen.line(x, 752, x + 60, 752)
    pen.text(note, x, 758, 7.5, "regular")
    flow.say(note)
  }
  return { name: "columns", pdf: pen.pdf(), markdown: flow.markdown }
}

const rightToLeft = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: single, fromRight: true })
  flow.heading(1, hebrew(3, 1), "world")
  for (let n = 0; n < 4; n++) flow.paragraph(hebrew(60, n + 2), { font: "world" })
  flow.heading(2, hebrew(2, 9), "world")
  for (let n = 0; n < 3; n++) flow.paragraph(hebrew(50, n + 10), { font: "world" })
  return { name: "right-to-left", pdf: pen.pdf(), markdown: flow.markdown }
}

const ideographs = (): TrueDocument => {
  const pen = new Pen()
  const flow = new Flow(pen, { columns: single })
  flow.heading(1, "港口年度报告", "world")
  for (let n = 0; n < 4; n++) flow.paragraph(chinese(5, n), { font: "world", size: 11 })
  flow.heading(2, "船舶与货物", "world")
  for (let n = 0; n < 4; n++) flow.paragraph(chinese(6, n + 4), { font: "world", size: 11 })
  return { name: "ideographs", pdf: pen.pdf(), markdown: flow.markdown }
}

export const generatedTruth = (): ReadonlyArray<TrueDocument> =>
  [report, lists, tables, columns, rightToLeft, ideographs].map((make) => make())
