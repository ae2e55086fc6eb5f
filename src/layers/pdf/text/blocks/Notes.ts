// Captions and footnotes.
import { isCaptionStart, isNoteStart } from "./Markers.ts"
import type { PageStyle } from "./PageStyle.ts"
import type { TextBlock } from "./TextBlock.ts"
import { blockText } from "./TextBlock.ts"

const smaller = 0.93
const longestCaption = 400

export const markCaptions = (blocks: ReadonlyArray<TextBlock>): void => {
  for (const block of blocks) {
    const text = blockText(block)
    if (block.kind === "paragraph" && isCaptionStart(text) && text.length <= longestCaption) block.kind = "caption"
  }
}

/** A note begins with its sign, which is mostly raised. */
const beginsNote = ({ lines }: TextBlock): boolean => {
  const [line] = lines
  if (line === undefined) return false
  return line.spans[0]?.raised === true ? /^\S{1,4}$/.test(line.spans[0].text.trim()) : isNoteStart(line.text)
}

/**
 * Marks the notes at the foot of a column: its last blocks, set smaller than the running text, the first of which begins
 * with the sign of a note.
 */
export const markFootnotes = (blocks: ReadonlyArray<TextBlock>, style: PageStyle): void => {
  let first = -1
  for (let at = blocks.length - 1; at >= 0; at--) {
    const block = blocks[at]
    if (block === undefined) break
    if (block.kind === "footer") continue
    const size = block.lines[0]?.usualSize ?? 0
    if (block.kind !== "paragraph" || size > smaller * style.bodySize) break
    if (beginsNote(block)) first = at
  }
  if (first < 0) return
  for (const block of blocks.slice(first)) if (block.kind === "paragraph") block.kind = "footnote"
}
