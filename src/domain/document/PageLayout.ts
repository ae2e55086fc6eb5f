import { Schema } from "effect"

/** PDF points; the origin is the top left corner of the page as displayed. */
export const Box = Schema.Struct({
  x: Schema.Finite,
  y: Schema.Finite,
  width: Schema.Finite,
  height: Schema.Finite
})
export type Box = typeof Box.Type

const flag = Schema.optionalKey(Schema.Literal(true))

/** Why a reader does not see the text: drawn invisibly, in the colour of its ground, off the page, or too small to read. */
export const HiddenBy = Schema.Literals(["invisible", "colour", "off-page", "tiny"])
export type HiddenBy = typeof HiddenBy.Type

/** A part of a line in one font. A flag that is absent is false. `size` is the font's, in points. */
export const TextSpan = Schema.Struct({
  text: Schema.String,
  box: Box,
  size: Schema.Finite,
  bold: flag,
  italic: flag,
  /** The font has letters of one width. */
  mono: flag,
  /** Above the baseline of its line, and smaller: the sign of a footnote, an exponent. */
  raised: flag,
  hidden: Schema.optionalKey(HiddenBy),
  /** Where the text leads: an address, or `#page=3` in the same file. */
  link: Schema.optionalKey(Schema.String)
})
export type TextSpan = typeof TextSpan.Type

/** The texts of the spans, one after the other, are the text of the line. */
export const LayoutLine = Schema.Struct({ box: Box, spans: Schema.Array(TextSpan) })
export type LayoutLine = typeof LayoutLine.Type

const lines = Schema.Array(LayoutLine)

export const Heading = Schema.TaggedStruct("heading", {
  /** 1 is the highest. As the page alone shows it: the structure of the document may give another. */
  level: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
  box: Box,
  lines
})
export const Paragraph = Schema.TaggedStruct("paragraph", {
  box: Box,
  lines,
  /** The paragraph began in the block of text before it: in the column before, or on the page before. */
  continues: flag
})
export const ListItem = Schema.TaggedStruct("listItem", {
  /** As printed: `•`, `3.`, `(a)`. The lines do not have it. */
  marker: Schema.String,
  /** 0 for an item of a list that is in no other. */
  depth: Schema.Natural,
  box: Box,
  lines
})
export const TableCell = Schema.Struct({
  /** Counted from 0: of the first row and column that the cell covers. */
  row: Schema.Natural,
  column: Schema.Natural,
  /** How many rows and columns it covers, at least 1. */
  rows: Schema.Natural,
  columns: Schema.Natural,
  box: Box,
  lines
})
export type TableCell = typeof TableCell.Type
export const Table = Schema.TaggedStruct("table", {
  box: Box,
  rows: Schema.Natural,
  columns: Schema.Natural,
  /** How many of the first rows are the header. */
  headerRows: Schema.Natural,
  /** In the order of rows, then columns. Cells without text are left out. */
  cells: Schema.Array(TableCell)
})
export type Table = typeof Table.Type
/** A picture or drawing. Its text, if it has any, is in other blocks. */
export const Figure = Schema.TaggedStruct("figure", { box: Box })

const textBlock = <Tag extends string>(tag: Tag) => Schema.TaggedStruct(tag, { box: Box, lines })
export const Caption = textBlock("caption")
export const Code = textBlock("code")
export const Formula = textBlock("formula")
export const Footnote = textBlock("footnote")
/** Lines at the head and the foot of a page that belong to the page and not to its text: a running title, a page number. */
export const PageHeader = textBlock("header")
export const PageFooter = textBlock("footer")

export const Block = Schema.Union([
  Heading,
  Paragraph,
  ListItem,
  Table,
  Figure,
  Caption,
  Code,
  Formula,
  Footnote,
  PageHeader,
  PageFooter
])
export type Block = typeof Block.Type

const exampleLine = (text: string, y: number, size: number, bold?: true) => {
  const box = { x: 72, y, width: text.length * size * 0.5, height: size }
  return { box, spans: [{ text, box, size, ...(bold && { bold }) }] }
}

export const layoutExample = {
  width: 595.28,
  height: 841.89,
  blocks: [
    {
      _tag: "heading" as const,
      level: 1,
      box: { x: 72, y: 72, width: 130, height: 20 },
      lines: [exampleLine("Annual report", 72, 20, true)]
    },
    {
      _tag: "paragraph" as const,
      box: { x: 72, y: 110, width: 90, height: 10 },
      lines: [exampleLine("of the year 2029", 110, 10)]
    },
    {
      _tag: "table" as const,
      box: { x: 72, y: 140, width: 200, height: 28 },
      rows: 2,
      columns: 1,
      headerRows: 1,
      cells: ["Sales", "7"].map((text, row) => {
        const line = exampleLine(text, 142 + 14 * row, 10)
        return { row, column: 0, rows: 1, columns: 1, box: line.box, lines: [line] }
      })
    }
  ],
  source: "geometry" as const
}

const layout = Schema.Struct({
  width: Schema.Finite,
  height: Schema.Finite,
  blocks: Schema.Array(Block),
  /** How the blocks were found: by the tags of the file, or by what is seen. */
  source: Schema.Literals(["tags", "geometry"]),
  /** The page is the image of a scan, and its text was recognized: an invisible layer of the file, or OCR. It has errors of reading. */
  isRecognized: flag,
  /** How many characters the file draws beside the page. They are in no block, and not in the text of the page. */
  offPage: Schema.optionalKey(Schema.Natural)
}).annotate({ identifier: "PageLayout", examples: [layoutExample] })

/** What stands on a page, in the order in which it is read. */
export interface PageLayout extends Schema.Schema.Type<typeof layout> {}
export interface EncodedPageLayout extends Schema.Codec.Encoded<typeof layout> {}
/** Its type has a name, so that types of the HTTP contract name it instead of repeating all of it. */
export const PageLayout: Schema.Codec<PageLayout, EncodedPageLayout> = layout

export const textOfLine = ({ spans }: LayoutLine): string => spans.map(({ text }) => text).join("")
