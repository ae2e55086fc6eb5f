import { Context, Deferred, Effect, Layer, type Option } from "effect"
import { SecureRandom } from "effect/crypto"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { RunnerId } from "../../domain/Ids.ts"
import type { LeaseRequest } from "../../services/store/Claim.ts"
import type { Fence } from "../../services/store/Fence.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { bracket } from "../gates/Bracket.ts"

export interface HeldDocument {
  readonly tenant: TenantId
  readonly fence: Fence
}

const weightOfNewest = 0.2

/** This process as a runner of documents: its identity, and the documents it holds at present. */
export class Runner extends Context.Service<
  Runner,
  {
    readonly id: RunnerId
    readonly lease: LeaseRequest
    /** Registers the document while the effect runs, so that its lease is renewed. */
    readonly holding: (held: HeldDocument) => <A, E, R>(run: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    readonly held: () => ReadonlyArray<HeldDocument>
    /** Runs a claim and the run that follows from it. `None`, without running it, once the runner is closed. */
    readonly whileOpen: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
    readonly close: Effect.Effect<void>
    /** Succeeds when the runner is closed: what has begun may end, and nothing more is to begin. */
    readonly closing: Effect.Effect<void>
    /** Succeeds when the runner is closed and all work it had begun has ended. */
    readonly settled: Effect.Effect<void>
    /** Mean run time of the documents that ended recently; `undefined` before the first. */
    readonly meanRunMillis: () => number | undefined
    readonly observeRun: (millis: number) => void
  }
>()("sluice/actors/tenant/Runner") {
  static readonly layer = Layer.effect(
    Runner,
    Effect.gen(function* () {
      const config = yield* EngineConfig
      const random = yield* SecureRandom.SecureRandom
      const id = RunnerId.make(yield* random.uuidV7())
      const held = new Map<DocumentId, HeldDocument>()
      let meanRunMillis: number | undefined
      const settled = Deferred.makeUnsafe<void>()
      const closing = Deferred.makeUnsafe<void>()
      let open = true
      let begun = 0
      const tellWhenSettled = () => {
        if (!open && begun === 0) Deferred.doneUnsafe(settled, Effect.void)
      }

      return Runner.of({
        id,
        lease: { runner: id, lease: config.lease },
        holding: (document) => (run) =>
          bracket(
            () => held.set(document.fence.documentId, document),
            () => {
              // A later attempt may have taken its place.
              if (held.get(document.fence.documentId) === document) held.delete(document.fence.documentId)
            }
          )(run),
        held: () => [...held.values()],
        whileOpen: (work) =>
          Effect.suspend(() =>
            open
              ? bracket(
                  () => begun++,
                  () => {
                    begun--
                    tellWhenSettled()
                  }
                )(Effect.asSome(work))
              : Effect.succeedNone
          ),
        close: Effect.sync(() => {
          open = false
          Deferred.doneUnsafe(closing, Effect.void)
          tellWhenSettled()
        }),
        closing: Deferred.await(closing),
        settled: Deferred.await(settled),
        meanRunMillis: () => meanRunMillis,
        observeRun: (millis) => {
          meanRunMillis =
            meanRunMillis === undefined ? millis : meanRunMillis + weightOfNewest * (millis - meanRunMillis)
        }
      })
    })
  )
}
