/**
 * At most `length` UTF-16 units of the text, well formed: a surrogate pair is never split, and lone surrogates of the text are
 * replaced.
 */
export const cutText = (text: string, length: number): string =>
  (text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text).toWellFormed()
