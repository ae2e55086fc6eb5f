import { Clock, Context, Effect, Layer } from "effect"
import { untraced } from "../../observability/Untraced.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { type RunnerEntry, RunnerRegister, type RunnerState } from "../../services/runners/RunnerRegister.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Runner } from "../tenant/Runner.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"

/** The processes of the engine, with what each has. Every second this one tells the others of itself, and hears of them. */
export class RunnerReports extends Context.Service<
  RunnerReports,
  {
    readonly list: Effect.Effect<ReadonlyArray<RunnerEntry>, StoreUnavailable>
  }
>()("sluice/actors/upkeep/RunnerReports") {
  static readonly layer = Layer.effect(
    RunnerReports,
    Effect.gen(function* () {
      const register = yield* RunnerRegister
      const engine = yield* PdfEngine
      const runner = yield* Runner
      const directory = yield* TenantDirectory
      const { globalDocuments } = yield* EngineConfig
      const startedAt = yield* Clock.currentTimeMillis

      const own = Effect.gen(function* () {
        const { workers } = yield* engine.status
        const state: RunnerState = {
          id: runner.id,
          startedAt,
          tenants: yield* directory.active,
          documents: runner.held().length,
          permits: register.role === "api" ? 0 : globalDocuments,
          workers: workers.length,
          capacity: engine.capacity
        }
        return state
      })
      const list = Effect.flatMap(own, register.exchange)
      yield* backgroundLoop({ name: "the report of the runner", pass: untraced(list), rest: Effect.sleep("1 second") })
      return RunnerReports.of({ list })
    })
  )
}
