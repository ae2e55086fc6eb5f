// Items of lists: their markers and how deep they lie.
import { listMarker } from "./Markers.ts"
import type { TextBlock } from "./TextBlock.ts"

// In parts of the font size: items that begin nearer to each other are of one list.
const sameIndent = 0.9
const deepest = 8

/** Takes the first characters of a block away. */
export const withoutStart = (block: TextBlock, length: number): void => {
  const [first, ...others] = block.lines
  if (first === undefined) return
  let rest = length
  const spans = first.spans.flatMap((span) => {
    const cut = Math.min(rest, span.text.length)
    rest -= cut
    if (cut === span.text.length) return []
    const share = cut / span.text.length
    return [{ ...span, text: span.text.slice(cut), left: span.left + share * (span.right - span.left) }]
  })
  block.lines = [{ ...first, text: first.text.slice(length), spans, left: spans[0]?.left ?? first.left }, ...others]
}

/** A single "3." or "(a)" may be anything; a bullet is no sentence. */
const isConfirmed = (blocks: ReadonlyArray<TextBlock>, at: number): boolean => {
  const marker = listMarker(blocks[at]?.lines[0]?.text ?? "")
  if (marker?.kind !== "counted") return marker !== undefined
  for (let near = Math.max(0, at - 3); near <= at + 3; near++) {
    if (near !== at && listMarker(blocks[near]?.lines[0]?.text ?? "")?.kind === "counted") return true
  }
  return false
}

/** Marks the items of lists among the blocks of a column. */
export const markListItems = (blocks: ReadonlyArray<TextBlock>): void => {
  const found = blocks.flatMap((block, at) => {
    const marker = listMarker(block.lines[0]?.text ?? "")
    return block.kind === "paragraph" && !block.isTagged && marker !== undefined && isConfirmed(blocks, at)
      ? [{ block, at, marker }]
      : []
  })
  let indents: Array<number> = []
  let last = -2
  for (const { at, block, marker } of found) {
    const [line] = block.lines
    if (line === undefined) continue
    // Other text between two items ends a list, unless it is a paragraph of the item.
    if (at > last + 2) indents = []
    last = at
    const tolerance = sameIndent * line.usualSize
    while (indents.length > 0 && (indents.at(-1) ?? 0) > line.left + tolerance) indents.pop()
    const open = indents.at(-1)
    if (open === undefined || line.left > open + tolerance) indents.push(line.left)
    block.kind = "listItem"
    block.marker = marker.text
    block.depth = Math.min(deepest, indents.length - 1)
    withoutStart(block, marker.length)
  }
}
