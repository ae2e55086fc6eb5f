/**
 * At most so many UTF-16 units of the text, well formed: it is never cut through a surrogate pair, and halves that were there
 * before are replaced.
 */
export const cutText = (text: string, length: number): string =>
  (text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text).toWellFormed()
