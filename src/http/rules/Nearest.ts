/** The largest edit distance at which a name counts as a misspelling of another. */
const farthest = 2

/** Longer names are not compared: they are no misspellings, and comparing them takes long. */
const longest = 40

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "")

/** The Levenshtein distance: insertions, deletions and substitutions. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, changed))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The closest known name, if it is close enough. Case and punctuation do not count. */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const text = plain(name)
  if (text === "" || text.length > longest) return undefined
  let best: { readonly name: string; readonly apart: number } | undefined
  for (const candidate of known) {
    const apart = distance(text, plain(candidate))
    // Short names allow fewer changes: two changes in three letters make a different word.
    if (apart > Math.min(farthest, Math.floor(text.length / 3))) continue
    if (best === undefined || apart < best.apart) best = { name: candidate, apart }
  }
  return best?.name
}
