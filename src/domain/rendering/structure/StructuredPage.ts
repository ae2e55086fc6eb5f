// The blocks of a page as the whole document shows them.
import type { Block } from "../../document/PageLayout.ts"
import type { RenderedPage } from "../DocumentBlock.ts"
import { byEntry } from "./Contents.ts"
import type { DocumentStructure } from "./DocumentStructure.ts"

/** A heading at its level, or text. */
const atLevel = (block: Block, level: number | undefined): Block => {
  if (block._tag !== "heading" && block._tag !== "paragraph") return block
  const { box, lines } = block
  if (level !== undefined) return { _tag: "heading", level, box, lines }
  return block._tag === "paragraph" ? block : { _tag: "paragraph", box, lines }
}

/** A running line has the tag of its end of the page; a line that was taken for one, and comes once, is text. */
const asRunning = (block: Block, isRunning: boolean, height: number): Block => {
  if (block._tag === "table" || block._tag === "figure") return block
  const { box, lines } = block
  if (isRunning) return { _tag: box.y + box.height / 2 < height / 2 ? "header" : "footer", box, lines }
  return block._tag === "header" || block._tag === "footer" ? { _tag: "paragraph", box, lines } : block
}

export const structuredBlocks = (
  { layout, number }: RenderedPage,
  structure: DocumentStructure
): ReadonlyArray<Block> =>
  (layout?.blocks ?? []).flatMap((block, index) => {
    const alone = block._tag === "heading" ? block.level : undefined
    const shown = asRunning(block, structure.isRunning(number, index), layout?.height ?? 0)
    return byEntry(atLevel(shown, structure.headingLevel(number, index, alone)))
  })
