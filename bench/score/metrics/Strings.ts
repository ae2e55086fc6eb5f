/** Code points, so that a character beyond the basic plane counts once. */
export const pointsOf = (text: string): Int32Array =>
  Int32Array.from(text, (character) => character.codePointAt(0) ?? 0)

/** White space of any kind is one blank, and none is at the ends. */
export const collapse = (text: string): string => text.replace(/\s+/gu, " ").trim()

/** The length of the longest sequence that is in both, in this order. */
const commonLength = (a: Int32Array, b: Int32Array): number => {
  let before = new Int32Array(b.length + 1)
  let row = new Int32Array(b.length + 1)
  for (let i = 0; i < a.length; i++) {
    const point = a[i]
    for (let j = 0; j < b.length; j++) {
      row[j + 1] = point === b[j] ? (before[j] ?? 0) + 1 : Math.max(before[j + 1] ?? 0, row[j] ?? 0)
    }
    const spare = before
    before = row
    row = spare
  }
  return before[b.length] ?? 0
}

/** 1 - (insertions + deletions) / (both lengths). Two empty texts are equal. */
export const indelSimilarity = (one: string, other: string): number => {
  const [a, b] = [pointsOf(one), pointsOf(other)]
  const total = a.length + b.length
  return total === 0 ? 1 : (2 * commonLength(a, b)) / total
}

/** Insertions, deletions and replacements. */
const editDistance = (a: Int32Array, b: Int32Array): number => {
  let before = Int32Array.from({ length: b.length + 1 }, (_, j) => j)
  let row = new Int32Array(b.length + 1)
  for (let i = 0; i < a.length; i++) {
    row[0] = i + 1
    for (let j = 0; j < b.length; j++) {
      const replaced = (before[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      row[j + 1] = Math.min(replaced, (before[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1)
    }
    const spare = before
    before = row
    row = spare
  }
  return before[b.length] ?? 0
}

/** The edit distance as a share of the longer text. */
export const textDistance = (one: string, other: string): number => {
  if (one === other) return 0
  const [a, b] = [pointsOf(one), pointsOf(other)]
  return editDistance(a, b) / Math.max(a.length, b.length)
}
