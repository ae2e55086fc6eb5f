/** Reads where the present turn was given: with the workers of this process, or with those of another runner. */
import { Clock, Deferred, Effect, Layer, Stream } from "effect"
import { PdfEngine, PdfEngineError, type PdfRef, PoolLost } from "../../services/PdfEngine.ts"
import { CurrentPool, type Pool, Pools, type RemotePdf } from "../../services/pools/Pools.ts"
import { OpenPlaces } from "./OpenPlaces.ts"
import { Turns } from "./Turns.ts"

/** A pool without workers is of no more use than one that is gone. */
const asLost = (pool: Pool, { reason }: PdfEngineError): PdfEngineError =>
  reason._tag === "EngineUnavailable"
    ? new PdfEngineError({ reason: new PoolLost({ pool: pool.name, detail: reason.detail }) })
    : new PdfEngineError({ reason })

const make = Effect.gen(function* () {
  const own = yield* PdfEngine
  const pools = yield* Pools
  const places = yield* OpenPlaces
  const { runner } = yield* Turns
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()

  const remote = (pdf: PdfRef, { name }: Pool): Effect.Effect<RemotePdf, PdfEngineError> => {
    const { hash } = pdf.location
    if (hash !== undefined) return Effect.succeed({ key: pdf.key, hash, password: pdf.password })
    const detail = "the bytes are only here"
    return Effect.fail(new PdfEngineError({ reason: new PoolLost({ pool: name, detail }) }))
  }

  const noted = (pool: Pool) => (error: PdfEngineError) => {
    const lost = asLost(pool, error)
    if (lost.reason._tag === "PoolLost") places.lost(pool.name, now())
    return lost
  }

  /** What is done when the first results come from a pool: it has the document open from now on. */
  const arrival = (pdf: PdfRef, { name }: Pool) => {
    const begun = now()
    let isFirst = true
    return () => {
      if (!isFirst) return
      isFirst = false
      if (!places.has(pdf.key, name)) places.measured(now() - begun)
      places.opened(pdf.key, name)
    }
  }

  const open: PdfEngine["Service"]["open"] = (pdf, head) =>
    Effect.flatMap(CurrentPool, (pool) => {
      if (pool === undefined) {
        places.opened(pdf.key, runner)
        return own.open(pdf, head)
      }
      return remote(pdf, pool).pipe(
        Effect.flatMap((file) => pools.open(pool.name, file, head)),
        Effect.raceFirst(Deferred.await(pool.lost)),
        Effect.tap(() => Effect.sync(() => places.opened(pdf.key, pool.name))),
        Effect.mapError(noted(pool))
      )
    })

  const read: PdfEngine["Service"]["read"] = (pdf, pages, concurrency) =>
    Stream.unwrap(
      Effect.map(CurrentPool, (pool) => {
        if (pool === undefined) {
          places.opened(pdf.key, runner)
          return own.read(pdf, pages, concurrency)
        }
        const arrived = arrival(pdf, pool)
        return Stream.unwrap(
          Effect.map(remote(pdf, pool), (file) => pools.read(pool.name, file, pages, concurrency))
        ).pipe(
          Stream.interruptWhen(Deferred.await(pool.lost)),
          // By arrays: pages that come together are saved together.
          Stream.mapArray((found) => {
            arrived()
            return found
          }),
          Stream.mapError(noted(pool))
        )
      })
    )

  const close: PdfEngine["Service"]["close"] = (key) =>
    Effect.suspend(() => {
      const others = places.closed(key).filter((pool) => pool !== runner)
      return Effect.andThen(
        own.close(key),
        Effect.forEach(others, (pool) => pools.close(pool, key), { discard: true, concurrency: "unbounded" })
      )
    })

  return PdfEngine.of({ ...own, open, read, close })
})

/** Needs the engine of this process. */
export const layer = Layer.effect(PdfEngine, make)
