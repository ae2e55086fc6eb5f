import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { type Active, FairShares } from "./FairShares.ts"
import { makeUsageGauges } from "./UsageGauges.ts"

const bucketMillis = 5_000
const minute = 12
const quarter = 180
/** A turn in milliseconds. A tenant entitled to less in the last minute got far too much with one turn, nothing without. */
const leastEntitled = 64
/** A tick that comes late (the process was stopped, the machine slept) counts for no more than this. */
const longestTick = 5_000

interface Worker {
  received: number
  entitled: number
  /** The part of `entitled` that fell into the time in which the tenant waited for others. */
  waited: number
}

interface Bucket {
  /** The number of the bucket: 5-second periods since the epoch. */
  number: number
  received: number
  entitled: number
  readonly tenants: Map<TenantId, Worker>
}

export interface Share {
  /** The tenant's part, by weight, of the workers' time of the last minute, while the tenant had work. */
  readonly entitled: number
  readonly received1m: number
  readonly received15m: number
}

/**
 * Worker milliseconds that each tenant received, and was entitled to, in buckets of 5 seconds over 15 minutes. A bucket
 * knows only the tenants that had work in it, so an idle tenant costs nothing after 15 minutes.
 */
export class UsageLedger {
  readonly #buckets: Array<Bucket> = []

  get buckets(): number {
    return this.#buckets.length
  }

  use(tenant: TenantId, millis: number, now: number): void {
    const bucket = this.#bucket(now)
    bucket.received += millis
    workerOf(bucket, tenant).received += millis
  }

  /** Divides the available worker time among the tenants that have work, by weight. */
  entitle(active: ReadonlyArray<Active>, millis: number, now: number): void {
    const greatest = active.reduce((most, { weight }) => Math.max(most, weight), 0)
    if (greatest === 0) return
    // Relative to the greatest weight, so that the sum cannot overflow.
    const weights = active.reduce((sum, { weight }) => sum + weight / greatest, 0)
    const bucket = this.#bucket(now)
    bucket.entitled += millis
    for (const { tenant, waits, weight } of active) {
      const worker = workerOf(bucket, tenant)
      const entitled = (millis * (weight / greatest)) / weights
      worker.entitled += entitled
      if (waits) worker.waited += entitled
    }
  }

  /** The time received in the last minute, for each tenant that had work in it. */
  lately(now: number): ReadonlyMap<TenantId, Pick<Share, "entitled"> & { readonly received: number }> {
    const sums = this.#tenants(now)
    const all = { entitled: 0, received: 0 }
    for (const { entitled, received } of sums.values()) {
      all.entitled += entitled
      all.received += received
    }
    return new Map(
      Array.from(sums, ([tenant, { entitled, received }]) => [
        tenant,
        { entitled: fraction(entitled, all.entitled), received: fraction(received, all.received) }
      ])
    )
  }

  share(tenant: TenantId, now: number): Share {
    const last = this.#sum(tenant, now, minute)
    const longer = this.#sum(tenant, now, quarter)
    return {
      entitled: fraction(last.entitled, last.allEntitled),
      received1m: fraction(last.received, last.allReceived),
      received15m: fraction(longer.received, longer.allReceived)
    }
  }

  /**
   * Jain's index of received over entitled in the last minute: 1 if all tenants with work got the same part of what they were
   * entitled to, 1/n if one of n got everything.
   *
   * Time that a tenant cannot use, because its own limits are low or its sources slow, belongs to the others, by weight (max-min
   * fairness). A tenant counts as able to use more if it waited for others, as sampled once a second. So a tenant with few lanes
   * that waits for every turn, though never long, counts as able to use more.
   */
  fairness(now: number): number {
    const tenants = this.#tenants(now)
    let [count, sum, squares] = [0, 0, 0]
    for (const { due, received } of maxMin([...tenants.values()].filter(({ entitled }) => entitled >= leastEntitled))) {
      if (due === 0) continue
      const ratio = received / due
      count++
      sum += ratio
      squares += ratio * ratio
    }
    return squares === 0 ? 1 : Math.min(1, (sum * sum) / (count * squares))
  }

  #tenants(now: number): ReadonlyMap<TenantId, Worker> {
    const tenants = new Map<TenantId, Worker>()
    for (const bucket of this.#last(now, minute)) {
      for (const [tenant, { entitled, received, waited }] of bucket.tenants) {
        const sum = tenants.get(tenant) ?? { entitled: 0, received: 0, waited: 0 }
        sum.entitled += entitled
        sum.received += received
        sum.waited += waited
        tenants.set(tenant, sum)
      }
    }
    return tenants
  }

  #sum(tenant: TenantId, now: number, buckets: number) {
    const sum = { received: 0, entitled: 0, allReceived: 0, allEntitled: 0 }
    for (const bucket of this.#last(now, buckets)) {
      const own = bucket.tenants.get(tenant)
      sum.received += own?.received ?? 0
      sum.entitled += own?.entitled ?? 0
      sum.allReceived += bucket.received
      sum.allEntitled += bucket.entitled
    }
    return sum
  }

  #last(now: number, buckets: number): ReadonlyArray<Bucket> {
    const oldest = Math.floor(now / bucketMillis) - buckets
    return this.#buckets.filter(({ number }) => number > oldest)
  }

  #bucket(now: number): Bucket {
    const number = Math.floor(now / bucketMillis)
    const last = this.#buckets.at(-1)
    // A clock that was set back must not open buckets out of order.
    if (last !== undefined && last.number >= number) return last
    const bucket: Bucket = { number, received: 0, entitled: 0, tenants: new Map() }
    this.#buckets.push(bucket)
    while ((this.#buckets[0]?.number ?? number) <= number - quarter) this.#buckets.shift()
    return bucket
  }
}

const fraction = (part: number, whole: number): number => (whole === 0 ? 0 : Math.min(1, part / whole))

/** Gives each tenant what it is entitled to, at most what it could use. The rest goes to the others, in proportion. */
const maxMin = (workers: ReadonlyArray<Worker>) => {
  const could = ({ received, waited }: Worker) => received + waited
  let millis = workers.reduce((sum, { entitled }) => sum + entitled, 0)
  let entitlements = millis
  return workers
    .toSorted((one, other) => could(one) / one.entitled - could(other) / other.entitled)
    .map((worker) => {
      const due = Math.min(could(worker), (millis * worker.entitled) / entitlements)
      millis -= due
      entitlements -= worker.entitled
      return { due, received: worker.received }
    })
}

const workerOf = ({ tenants }: Bucket, tenant: TenantId): Worker => {
  const known = tenants.get(tenant)
  if (known !== undefined) return known
  const worker = { received: 0, entitled: 0, waited: 0 }
  tenants.set(tenant, worker)
  return worker
}

/** A second counts as busy if the workers did at least this part of what they could. */
const busyPart = 0.5
const weightOfNewest = 0.05

/** The workers' time that tenants receive, compared with what they are entitled to. */
export class UsageMeter extends Context.Service<
  UsageMeter,
  {
    readonly share: (tenant: TenantId) => Effect.Effect<Share>
    readonly fairness: Effect.Effect<number>
    /** The measured part of the workers' time that is used while there is enough to do. */
    readonly efficiency: () => number
  }
>()("sluice/actors/scheduling/UsageMeter") {
  static readonly layer = Layer.effect(
    UsageMeter,
    Effect.gen(function* () {
      const shares = yield* FairShares
      const { capacity } = yield* PdfEngine
      const clock = yield* Clock.Clock
      const ledger = new UsageLedger()
      let ticked = yield* Clock.currentTimeMillis
      let used = 0
      let efficiency = 1
      shares.onUse((tenant, millis) => {
        used += millis
        ledger.use(tenant, millis, clock.currentTimeMillisUnsafe())
      })

      const tick = Effect.map(Clock.currentTimeMillis, (now) => {
        const millis = capacity * Math.min(longestTick, Math.max(0, now - ticked))
        ticked = now
        ledger.entitle(shares.active(), millis, now)
        const part = millis === 0 ? 0 : used / millis
        used = 0
        if (part >= busyPart) efficiency += weightOfNewest * (Math.min(1, part) - efficiency)
      })
      yield* backgroundLoop({ name: "the usage meter", pass: tick, rest: Effect.sleep("1 second") })
      const showShares = makeUsageGauges()
      const show = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        showShares(ledger.lately(now), ledger.fairness(now))
      )
      yield* backgroundLoop({
        name: "the report of usage",
        pass: show,
        rest: Effect.sleep("10 seconds"),
        begins: "after a rest"
      })

      return UsageMeter.of({
        share: Effect.fn("UsageMeter.share")((tenant) =>
          Effect.map(Clock.currentTimeMillis, (now) => ledger.share(tenant, now))
        ),
        fairness: Effect.map(Clock.currentTimeMillis, (now) => ledger.fairness(now)),
        efficiency: () => efficiency
      })
    })
  )
}
