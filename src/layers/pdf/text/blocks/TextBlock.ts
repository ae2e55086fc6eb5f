// Blocks of text in the coordinates of their frame.
import type { Bounds } from "../Bounds.ts"
import { boundsOf } from "../Bounds.ts"
import type { StyledLine } from "./StyledLine.ts"

export type TextBlockKind =
  | "heading"
  | "paragraph"
  | "listItem"
  | "caption"
  | "code"
  | "formula"
  | "footnote"
  | "header"
  | "footer"

export interface TextBlock {
  kind: TextBlockKind
  lines: Array<StyledLine>
  /** Of a heading. */
  level: number
  /** Of an item of a list, as printed. */
  marker: string
  depth: number
  /** The file says what it is. */
  readonly isTagged: boolean
  /** The paragraph began before what stands between it and its beginning: in the column before. */
  continues: boolean
}

export const textBlock = (lines: Array<StyledLine>): TextBlock => ({
  kind: "paragraph",
  lines,
  level: 1,
  marker: "",
  depth: 0,
  isTagged: false,
  continues: false
})

export const blockBounds = ({ lines }: TextBlock): Bounds => boundsOf(lines)

export const blockText = ({ lines }: TextBlock): string => lines.map(({ text }) => text).join(" ")
