import { Context, Effect, Layer, type Scope } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"

/** For each document that may be open, so many more may wait for their stages alone. */
const perDocument = 8

/**
 * Documents that are in their stages and need no worker any more. They hold no permit of the global gate, so their number has a
 * bound of its own; beyond it a document keeps its permit.
 */
export class StagePlaces extends Context.Service<
  StagePlaces,
  {
    /** Whether the document got a place, which it has until the scope ends. */
    readonly enter: Effect.Effect<boolean, never, Scope.Scope>
  }
>()("sluice/actors/stages/StagePlaces") {
  static readonly layer = Layer.effect(
    StagePlaces,
    Effect.map(EngineConfig, ({ globalDocuments }) => {
      let free = globalDocuments * perDocument
      const take = Effect.sync(() => {
        if (free === 0) return false
        free--
        return true
      })
      return StagePlaces.of({
        enter: Effect.acquireRelease(take, (taken) =>
          Effect.sync(() => {
            if (taken) free++
          })
        )
      })
    })
  )
}
