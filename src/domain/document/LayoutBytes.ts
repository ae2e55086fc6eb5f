// How the layout of a page travels and is stored: JSON, deflated where the page is read. Nothing between there and a reader of the
// layout looks into it.
import { Schema } from "effect"
import { deflateRawSync, inflateRawSync } from "node:zlib"
import type { EncodedLayout } from "./Page.ts"
import { type Block, PageLayout } from "./PageLayout.ts"

/** Of the JSON, in UTF-8. A page that a person reads has a hundredth of it, and decoding this much takes a moment. */
export const mostLayoutBytes = 4 * 1024 * 1024

/** Of the JSON deflated: more than `mostLayoutBytes` can need. */
export const mostEncodedBytes = 5 * 1024 * 1024

/** Text of layouts shrinks to a tenth at this level already; higher ones take longer for little. */
const level = 3

/** Half of the usual memory: a page's layout has little more than the window, and clearing more costs a part of the time. */
const options = { level, windowBits: 14, memLevel: 7 }

/** The first blocks, as many as fit. */
const blocksWithin = (blocks: ReadonlyArray<Block>, most: number): ReadonlyArray<Block> => {
  let bytes = 0
  const kept: Array<Block> = []
  for (const block of blocks) {
    bytes += Buffer.byteLength(JSON.stringify(block)) + 1
    if (bytes > most) break
    kept.push(block)
  }
  return kept
}

/** `isCut`: there were more blocks than are kept. */
export const encodeLayout = (layout: PageLayout): { readonly bytes: EncodedLayout; readonly isCut: boolean } => {
  const json = JSON.stringify(layout)
  const isCut = json.length * 3 > mostLayoutBytes && Buffer.byteLength(json) > mostLayoutBytes
  const kept = isCut
    ? JSON.stringify({ ...layout, blocks: blocksWithin(layout.blocks, mostLayoutBytes - 1_024) })
    : json
  return { bytes: deflateRawSync(kept, options), isCut }
}

const decode = Schema.decodeUnknownOption(PageLayout)

/** Undefined when the bytes hold no layout: a worker that a hostile file has taken over may send any bytes. */
export const decodeLayout = (bytes: EncodedLayout): PageLayout | undefined => {
  try {
    const json = inflateRawSync(bytes, { maxOutputLength: mostLayoutBytes }).toString("utf8")
    const decoded = decode(JSON.parse(json))
    return decoded._tag === "Some" ? decoded.value : undefined
  } catch {
    return undefined
  }
}
