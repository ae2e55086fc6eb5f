/** Makes the first ranks less far from the next ones; the usual value. */
const flattening = 60

/** One ranking of several: by the sums of the reciprocal ranks. Scores are near 1 for what is first in all of them. */
export const fuse = <Id>(
  rankings: ReadonlyArray<ReadonlyArray<Id>>
): ReadonlyArray<{ readonly id: Id; readonly score: number }> => {
  const scores = new Map<Id, number>()
  for (const ranking of rankings) {
    for (const [index, id] of ranking.entries()) {
      scores.set(id, (scores.get(id) ?? 0) + (flattening + 1) / (flattening + 1 + index) / rankings.length)
    }
  }
  return [...scores].map(([id, score]) => ({ id, score })).toSorted((a, b) => b.score - a.score)
}
