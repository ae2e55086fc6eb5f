import { Effect, Stream } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import { SourceRefused, Sources, SourceUnavailable } from "../../src/services/Sources.ts"
import type { Ledger } from "./Ledger.ts"
import type { DocumentPlan } from "./Scenario.ts"
import type { Process } from "./SimulatedStore.ts"

const prefix = "https://files.test/"

export const urlOf = ({ index }: DocumentPlan): string => `${prefix}${index}`

type Answer = Stream.Stream<Uint8Array>

const unavailable = (message: string, retryable: boolean) =>
  new SourceUnavailable({ failure: failure("SOURCE_UNAVAILABLE", message), retryable })

/** The servers that documents are fetched from, as one process sees them; what failed once fails once for all processes. */
export class SimulatedSources {
  readonly #plans = new Map<string, DocumentPlan>()
  readonly #fetches = new Map<string, number>()
  readonly #ledger: Ledger
  readonly #bytesOf: (content: number) => Uint8Array

  constructor(ledger: Ledger, plans: ReadonlyArray<DocumentPlan>, bytesOf: (content: number) => Uint8Array) {
    this.#ledger = ledger
    this.#bytesOf = bytesOf
    for (const plan of plans) if (plan.source !== undefined) this.#plans.set(urlOf(plan), plan)
  }

  planOf(url: string): DocumentPlan | undefined {
    return this.#plans.get(url)
  }

  for(process: Process) {
    return Sources.of({
      resolve: (text) =>
        text.startsWith(prefix)
          ? Effect.succeed({ _tag: "Url", url: text, name: text.slice(prefix.length) })
          : Effect.fail(new SourceRefused({ failure: failure("SOURCE_REFUSED", `${text} is not allowed`) })),
      readFile: () => Stream.empty,
      fetch: (url) => Stream.unwrap(Effect.suspend(() => this.#fetch(url, process)))
    })
  }

  #fetch(url: string, process: Process): Effect.Effect<Answer, SourceRefused | SourceUnavailable> {
    const plan = this.#plans.get(url)
    const source = plan?.source
    if (plan === undefined || source === undefined) return Effect.fail(unavailable("there is no such file", false))
    if (!process.alive) return Effect.never
    const before = this.#fetches.get(url) ?? 0
    this.#fetches.set(url, before + 1)
    this.#ledger.fetching(url)
    const bytes = (content: Uint8Array) => Effect.succeed(Stream.make(content))
    const answer = Effect.suspend((): Effect.Effect<Answer, SourceRefused | SourceUnavailable> => {
      switch (source.answer) {
        case "comes":
          return bytes(this.#bytesOf(plan.content))
        case "fails once":
          return before === 0 ? Effect.fail(unavailable("503", true)) : bytes(this.#bytesOf(plan.content))
        case "fails":
          return Effect.fail(unavailable("503", true))
        case "is gone":
          return Effect.fail(unavailable("404", false))
        case "is refused":
          return Effect.fail(new SourceRefused({ failure: failure("SOURCE_REFUSED", "the address is not public") }))
        case "is no PDF":
          return bytes(new TextEncoder().encode("<html>"))
      }
    })
    return Effect.delay(answer, source.millis)
  }
}
