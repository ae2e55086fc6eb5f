// Words as the index knows them, and queries made of any text: nothing of it is syntax.

/** Scripts without spaces between words. */
const unspaced = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー"
const unspacedRuns = new RegExp(`[${unspaced}]+`, "gu")
const words = new RegExp(`[${unspaced}]+|(?:(?![${unspaced}])[\\p{L}\\p{N}\\p{M}])+`, "gu")
const isUnspaced = new RegExp(`^[${unspaced}]`, "u")
const isHangul = /^\p{Script=Hangul}/u

const bigrams = (run: string): string => {
  const characters = [...run]
  return characters.length < 2
    ? run
    : characters
        .slice(0, -1)
        .map((character, index) => character + (characters[index + 1] ?? ""))
        .join(" ")
}

const normal = (text: string): string => text.normalize("NFKC").replaceAll("\u0000", " ").replaceAll("ß", "ss")

/** The text as it is indexed: runs of Han, Hiragana and Katakana become pairs of neighbours, since their words have no spaces. */
export const indexedText = (text: string): string => normal(text).replace(unspacedRuns, (run) => ` ${bigrams(run)} `)

/** A text that is looked for has this many different words at most, and a word so many characters. */
const mostTerms = 32
const longestTerm = 64

/** Words that are nearly everywhere: they tell nothing, and cost most. */
const common: ReadonlySet<string> = new Set(
  (
    "a an and are as at be but by can did do does for from had has have how i if in into is it its of on or so such that the their " +
    "then there these they this to was were what when where which who why will with you your " +
    "das dem den der des die ein eine einem einen einer eines für hat ich im in ist mit nicht oder sich sie sind und von was welche " +
    "wer wie wird wo zu zum zur"
  ).split(" ")
)

/** The different words of a query, without those that are nearly everywhere unless there are no others. */
export const queryTerms = (query: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const [word] of normal(query.slice(0, 16_384)).toLowerCase().matchAll(words)) {
    found.add(word.length > longestTerm ? Array.from(word).slice(0, longestTerm).join("") : word)
    if (found.size >= mostTerms * 4) break
  }
  const telling = [...found].filter((word) => !common.has(word))
  return (telling.length > 0 ? telling : [...found]).slice(0, mostTerms)
}

/** The expression of FTS5 that finds texts with any of the words. */
export const anyOf = (terms: ReadonlyArray<string>): string =>
  terms
    .map((term) => {
      if (isUnspaced.test(term)) return `"${bigrams(term)}"${[...term].length < 2 ? "*" : ""}`
      // Words of Korean have endings.
      return `"${term}"${isHangul.test(term) ? "*" : ""}`
    })
    .join(" OR ")

/** A word without case, marks and its commonest endings: enough to show where a word of the query stands. */
const stemOf = (word: string): string => {
  const plain = normal(word).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
  const stem = plain.replace(/(?:ing|ies|ed|es|ly|en|s|e|y)$/u, "")
  return stem.length >= 3 ? stem : plain
}

/** Where words of the query stand in a text: begins and ends, in order. */
export const matchesIn = (
  text: string,
  terms: ReadonlyArray<string>
): ReadonlyArray<readonly [start: number, end: number]> => {
  const stems = new Set(terms.map(stemOf))
  const runs = terms.filter((term) => isUnspaced.test(term) || isHangul.test(term))
  const found: Array<readonly [number, number]> = []
  for (const { 0: word, index } of text.matchAll(words)) {
    if (isUnspaced.test(word) || isHangul.test(word)) {
      for (const run of runs) {
        const at = word.indexOf(run)
        if (at >= 0) found.push([index + at, index + at + run.length])
      }
    } else if (stems.has(stemOf(word))) found.push([index, index + word.length])
  }
  return found.toSorted(([a], [b]) => a - b)
}
