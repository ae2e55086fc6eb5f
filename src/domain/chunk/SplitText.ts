// A text that is larger than a chunk, divided where a reader would: between sentences, else between words, else anywhere.
import type { TokenCounter } from "./Tokens.ts"

/** A part of a text, by its characters. */
export interface Piece {
  readonly start: number
  readonly end: number
}

const sentenceEnd = /[.!?;][)\]"'»”’]*\s+|[。！？；][」』）]*|\n+/gu
const wordEnd = /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu
const lineEnd = /\n/g

/** The parts of a text that end with a match, and the rest. */
const cutAfter = (text: string, { end, start }: Piece, pattern: RegExp): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let from = start
  for (const found of text.slice(start, end).matchAll(pattern)) {
    const to = start + found.index + found[0].length
    if (to > from && to < end) {
      pieces.push({ start: from, end: to })
      from = to
    }
  }
  pieces.push({ start: from, end })
  return pieces
}

/** In halves, never between the two halves of a character. */
const halves = (text: string, { end, start }: Piece): ReadonlyArray<Piece> => {
  let middle = Math.floor((start + end) / 2)
  const code = text.charCodeAt(middle)
  if (code >= 0xdc00 && code <= 0xdfff) middle++
  return middle <= start || middle >= end
    ? [{ start, end }]
    : [
        { start, end: middle },
        { start: middle, end }
      ]
}

/** Pieces that follow each other, as few as fit. A piece that does not fit is divided by the next finer way. */
const packed = (
  text: string,
  whole: Piece,
  limit: number,
  count: TokenCounter,
  ways: ReadonlyArray<RegExp>
): ReadonlyArray<Piece> => {
  const [way, ...finer] = ways
  const cuts = way === undefined ? halves(text, whole) : cutAfter(text, whole, way)
  const pieces: Array<Piece> = []
  let open: (Piece & { readonly tokens: number }) | undefined
  const close = () => {
    if (open !== undefined) pieces.push({ start: open.start, end: open.end })
    open = undefined
  }
  for (const cut of cuts) {
    const tokens = count(text.slice(cut.start, cut.end))
    if (open !== undefined && open.tokens + tokens <= limit) {
      open = { start: open.start, end: cut.end, tokens: open.tokens + tokens }
      continue
    }
    close()
    if (tokens <= limit || (way === undefined && cuts.length === 1)) open = { ...cut, tokens }
    else pieces.push(...packed(text, cut, limit, count, finer))
  }
  close()
  return pieces
}

/** The text in pieces of at most `limit` tokens, one after the other and without a gap. */
export const splitText = (text: string, limit: number, count: TokenCounter): ReadonlyArray<Piece> =>
  packed(text, { start: 0, end: text.length }, limit, count, [sentenceEnd, wordEnd])

/** The same for code, divided between lines. */
export const splitCode = (text: string, limit: number, count: TokenCounter): ReadonlyArray<Piece> =>
  packed(text, { start: 0, end: text.length }, limit, count, [lineEnd, wordEnd])
