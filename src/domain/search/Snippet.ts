import { escapeHtml } from "../rendering/html/Escape.ts"
import { matchesIn } from "./Terms.ts"

/** Characters of a snippet, nearly. */
const length = 280

/** Where the most words of the query are near each other. */
const bestStart = (text: string, matches: ReadonlyArray<readonly [number, number]>): number => {
  let best = 0
  let most = 0
  for (const [index, [start]] of matches.entries()) {
    let count = 0
    for (let next = index; next < matches.length && (matches[next]?.[1] ?? 0) <= start + length; next++) count++
    if (count > most) {
      most = count
      best = start
    }
  }
  if (best + length > text.length) best = Math.max(0, text.length - length)
  // It begins with a word, some words before the first one that was looked for.
  const from = Math.max(0, best - 60)
  const space = text.indexOf(" ", from)
  return from === 0 || space < 0 || space > best ? from : space + 1
}

/** A part of the text as HTML: what is HTML in the text is escaped, and words of the query are in `<mark>`. */
export const snippetOf = (text: string, terms: ReadonlyArray<string>): string => {
  const plain = text.replace(/\s+/g, " ").trim()
  const matches = matchesIn(plain, terms)
  const start = bestStart(plain, matches)
  let end = start + length >= plain.length ? plain.length : plain.lastIndexOf(" ", start + length)
  if (end <= start) end = Math.min(plain.length, start + length)
  let html = start > 0 ? "…" : ""
  let at = start
  for (const [from, to] of matches) {
    if (from < at || to > end) continue
    html += `${escapeHtml(plain.slice(at, from))}<mark>${escapeHtml(plain.slice(from, to))}</mark>`
    at = to
  }
  return `${html}${escapeHtml(plain.slice(at, end))}${end < plain.length ? "…" : ""}`
}
