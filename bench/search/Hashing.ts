/**
 * A model that needs no weights: words, pairs of words and groups of three letters, hashed into a vector. It finds shared words, and
 * knows no meaning: it stands for a real model where there is none, so that the search by vectors runs at all.
 */
export const hashingModel = "hashing-384"

const dimensions = 384

const fnv = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

export const hashedVector = (text: string): Float32Array => {
  const counts = new Map<string, number>()
  const count = (feature: string) => counts.set(feature, (counts.get(feature) ?? 0) + 1)
  let before = ""
  for (const [word] of text
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    count(word)
    if (before !== "") count(`${before} ${word}`)
    for (let i = 0; i + 3 <= word.length; i++) count(`#${word.slice(i, i + 3)}`)
    before = word
  }
  const vector = new Float32Array(dimensions)
  for (const [feature, times] of counts) {
    const hash = fnv(feature)
    const place = hash % dimensions
    vector[place] = (vector[place] ?? 0) + (hash & 0x10000 ? 1 : -1) * (1 + Math.log(times))
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}
