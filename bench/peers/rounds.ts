import { cpus } from "node:os"
import { Effect } from "effect"
import type { Report } from "../material.ts"
import type { Subject } from "./subjects.ts"

/** What one bench found, to be kept as JSON. */
export interface PeersResult {
  readonly bench: string
  readonly machine: string
  readonly rounds: number
  readonly subjects: ReadonlyArray<{
    readonly name: string
    readonly versions: Readonly<Record<string, string>>
    readonly settings: string
  }>
  readonly rows: Report
}

/**
 * Every candidate once a round, one after the other, after one round that warms up. The order turns with each round, so
 * that nobody always runs in another one's wake. Figures by the name of the candidate.
 */
export const interleave = Effect.fnUntraced(function* <C extends { readonly name: string }, A, E, R>(
  candidates: ReadonlyArray<C>,
  rounds: number,
  measure: (candidate: C) => Effect.Effect<A, E, R>
) {
  const found = new Map(candidates.map(({ name }) => [name, Array<A>()]))
  for (let round = 0; round <= rounds; round++) {
    for (const candidate of round % 2 === 0 ? candidates : candidates.toReversed()) {
      const figure = yield* measure(candidate)
      if (round > 0) found.get(candidate.name)?.push(figure)
    }
  }
  return found
})

/** One figure of each round, by candidate. */
export const figuresOf = <A>(found: ReadonlyMap<string, ReadonlyArray<A>>, figure: (round: A) => number) =>
  new Map([...found].map(([name, rounds]) => [name, rounds.map(figure)]))

export const rowsOf = (what: string, unit: string, figures: ReadonlyMap<string, ReadonlyArray<number>>): Report =>
  [...figures].map(([name, values]) => ({ name: `${what}${name}`, unit, figures: values }))

/** Sluice against each other one, round by round. */
export const ratios = (figures: ReadonlyMap<string, ReadonlyArray<number>>): Report => {
  const own = figures.get("Sluice")
  if (own === undefined) return []
  return [...figures]
    .filter(([name]) => name !== "Sluice")
    .map(([name, others]) => ({
      name: `ratio, Sluice / ${name}`,
      unit: "",
      figures: own.map((figure, round) => figure / (others[round] ?? Number.NaN))
    }))
}

export const resultOf = (
  bench: string,
  rounds: number,
  subjects: ReadonlyArray<Subject>,
  rows: Report
): PeersResult => ({
  bench,
  machine: `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.versions.node}`,
  rounds,
  subjects: subjects.map(({ name, settings, versions }) => ({ name, versions, settings })),
  rows
})
