import { Effect, Option, Result } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { StorageHealth } from "../../services/StorageHealth.ts"
import { Api } from "../api/Api.ts"
import { ServiceUnavailable, someTime } from "../api/problems/Problems.ts"

/** A store or engine that takes longer to answer does not count as working. */
const answerTimeout = "2 seconds"

export const HealthHandlers = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const engine = yield* PdfEngine
    const storage = yield* StorageHealth

    const obstacles = Effect.gen(function* () {
      const reasons: Array<string> = []
      if (!(yield* ingestion.accepting)) reasons.push("no more work is accepted")
      // A process that reads no pages needs no workers.
      const needed = engine.capacity > 0
      const status = Option.getOrUndefined(yield* Effect.timeoutOption(engine.status, answerTimeout))
      if (needed && status?.unavailable !== undefined) reasons.push(`no page worker can be had: ${status.unavailable}`)
      else if (needed && (status === undefined || status.workers.length === 0)) reasons.push("no page worker is alive")
      const store = yield* Effect.result(Effect.timeout(ingestion.queueStatus(), answerTimeout))
      if (Result.isFailure(store)) reasons.push("the document store does not answer")
      return [...reasons, ...(yield* storage.obstacles)]
    })

    let before = ""
    /** Logs each change of readiness once, not with every probe. */
    const logChange = (reasons: string) =>
      Effect.suspend(() => {
        if (reasons === before) return Effect.void
        before = reasons
        return reasons === "" ? Effect.logInfo("ready again") : Effect.logWarning(`not ready: ${reasons}`)
      })

    return handlers.handleAll({
      live: () => Effect.succeed({ status: "live" as const }),
      ready: Effect.fnUntraced(function* () {
        const reasons = yield* obstacles
        yield* logChange(reasons.join("; "))
        if (reasons.length === 0) return { status: "ready" as const }
        return yield* new ServiceUnavailable({
          code: "NOT_READY",
          detail: reasons.join("; "),
          reasons,
          retryAfter: someTime
        })
      })
    })
  })
)
