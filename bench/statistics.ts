/** The value that this share of all values does not exceed; of few values, a high share is the greatest. */
export const percentile = (values: ReadonlyArray<number>, share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN

/** Jain's index of fairness: 1 when all are equal, 1/n when one has everything. */
export const jain = (values: ReadonlyArray<number>): number => {
  const sum = values.reduce((total, value) => total + value, 0)
  return sum ** 2 / (values.length * values.reduce((total, value) => total + value ** 2, 0))
}
