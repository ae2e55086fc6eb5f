// One run: tenants upload through all runners, one thing after another goes wrong, and in the end everything is accounted for.
import { Clock, Effect, Fiber } from "effect"
import type { Finding } from "../findings.ts"
import { between, makeRandom, type Random } from "../workload.ts"
import { audit } from "./audit.ts"
import { collect, untilQuiet } from "./collect.ts"
import type { TroubleTime } from "./evidence.ts"
import { openScene, type SceneOptions } from "./scene.ts"
import { allTroubles, type Trouble, type TroubleName } from "./troubles.ts"
import { makeUploads, uploadAll, uploadLong } from "./uploads.ts"

export interface ClusterChaosOptions extends SceneOptions {
  readonly minutes: number
  readonly seed: number
  readonly only?: TroubleName | undefined
  readonly onProgress?: (text: string) => void
}

const tenants = ["acme", "globex", "hooli", "initech", "soylent", "umbrella"]
const mostWaiting = 12
/** Of the troubles, those during which the next one begins. */
const overlapShare = 0.2
const longestStillness = 90_000

type Timed = { -readonly [Key in keyof TroubleTime]: TroubleTime[Key] }

/** How long after its beginning a trouble is left alone, unless another one is to overlap with it. */
const aloneMillis = 12_000

/** Marks the troubles that another one might have made worse. */
const withOverlaps = (times: ReadonlyArray<TroubleTime>): ReadonlyArray<TroubleTime> =>
  times.map((time) => ({
    ...time,
    alone: times.every((other) => other === time || other.until < time.at || other.at >= time.at + aloneMillis)
  }))

/** All of them in any order, then all of them again, without end. */
const makeBag = <A>(all: ReadonlyArray<A>, random: Random) => {
  let left: Array<A> = []
  return (): A | undefined => {
    if (left.length === 0) left = [...all]
    return left.splice(Math.floor(random() * left.length), 1)[0]
  }
}

/** Begins one trouble, and answers with what waits for its end. */
const cause = Effect.fnUntraced(function* (
  { begin, lasts: [least, most], name }: Trouble,
  random: Random,
  say: (text: string) => void
) {
  const at = yield* Clock.currentTimeMillis
  const length = between(random, least, most)
  const begun = yield* begin(random)
  if (begun === undefined) return undefined
  const { detail, end, runner } = begun
  say(`${name} ${[runner, detail].filter((part) => part !== undefined).join(" ")} for ${length} ms`)
  const time: Timed = { name, runner, at, until: Number.POSITIVE_INFINITY, alone: true }
  const ending = yield* Effect.forkScoped(
    Effect.gen(function* () {
      yield* Effect.sleep(length)
      yield* end
      time.until = yield* Clock.currentTimeMillis
    })
  )
  return { time, ending }
})

export const runClusterChaos = Effect.fnUntraced(function* (options: ClusterChaosOptions) {
  const say = options.onProgress ?? (() => {})
  say(`starting a database${options.originals === "s3" ? ", an S3 server" : ""} and ${options.runners} runners`)
  const scene = yield* openScene(options)
  const { runners } = scene
  const random = makeRandom(options.seed)
  const choices = makeRandom(options.seed + 1)
  const anyRunner = () => {
    const { all } = runners
    const chosen = all[Math.floor(choices() * all.length)] ?? all[0]
    if (chosen === undefined) throw new Error("there are no runners")
    return chosen.client
  }
  const uploads = makeUploads()
  const uploading = yield* Effect.forkChild(
    Effect.forEach(
      tenants,
      (tenant, index) =>
        Effect.all(
          [
            uploadAll(uploads, anyRunner, tenant, options.seed * 1000 + index, mostWaiting),
            uploadLong(uploads, anyRunner, tenant)
          ],
          { concurrency: "unbounded" }
        ),
      { concurrency: "unbounded", discard: true }
    )
  )

  const troubles = allTroubles(scene).filter(({ name }) => options.only === undefined || name === options.only)
  const nextTrouble = makeBag(troubles, random)
  const times: Array<Timed> = []
  const under: Array<Fiber.Fiber<void>> = []
  const deadline = (yield* Clock.currentTimeMillis) + options.minutes * 60_000
  while ((yield* Clock.currentTimeMillis) < deadline) {
    if (random() >= overlapShare) {
      yield* Fiber.joinAll(under.splice(0))
      const rest = (times.at(-1)?.at ?? 0) + aloneMillis - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Math.max(0, rest))
    }
    yield* Effect.sleep(between(random, 500, 3_000))
    const trouble = nextTrouble()
    const caused = trouble === undefined ? undefined : yield* cause(trouble, random, say)
    if (caused === undefined) continue
    times.push(caused.time)
    under.push(caused.ending)
    say(`${uploads.acknowledged.size} documents acknowledged, ${runners.up().length} runners are up`)
  }
  yield* Fiber.joinAll(under)
  yield* Fiber.interrupt(uploading)

  say("waiting for the rest")
  yield* untilQuiet(scene, anyRunner, longestStillness)
  say("auditing")
  const evidence = yield* collect(scene, uploads, tenants, withOverlaps(times))
  const findings: ReadonlyArray<Finding> = audit(evidence, { isResumingBounded: options.isCluster })
  return findings
}, Effect.scoped)
