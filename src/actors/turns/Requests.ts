import type { PoolName } from "../../services/pools/Pools.ts"
import { FairQueue, MergedQueues, takeFirst } from "../scheduling/FairQueue.ts"
import type { Shares } from "../scheduling/FairShares.ts"
import type { TurnRequest } from "./TurnsProtocol.ts"

/** A request for a turn, and once it was given the pool. */
export interface Request {
  readonly asked: TurnRequest
  /** The runner that asked. */
  readonly runner: PoolName
  /** Pools that may serve it, the preferred first, if not all may. Never empty. */
  pools: ReadonlyArray<PoolName>
  pool: PoolName | undefined
  /** From the queues in which it waits. */
  withdraw: ReadonlyArray<() => void>
}

interface Queues {
  readonly newcomers: FairQueue<Request>
  readonly others: FairQueue<Request>
}

/** Requests that wait: those that any pool may serve, and those that only some may. */
export class Requests {
  readonly #shares: Shares
  readonly #anywhere: Queues
  readonly #own = new Map<PoolName, Queues>()
  readonly #waiting = new Set<Request>()
  readonly #isAlive: (pool: PoolName) => boolean

  constructor(shares: Shares, isAlive: (pool: PoolName) => boolean) {
    this.#shares = shares
    this.#isAlive = isAlive
    this.#anywhere = this.#queues()
  }

  add(runner: PoolName, asked: TurnRequest): Request {
    const request: Request = { asked, runner, pools: asked.pools, pool: undefined, withdraw: [] }
    this.#enqueue(request)
    return request
  }

  /** It does not wait any more. */
  withdraw(request: Request): void {
    this.#waiting.delete(request)
    for (const withdraw of request.withdraw) withdraw()
    request.withdraw = []
  }

  /** Takes the next request that one of the pools may serve. */
  take(pools: ReadonlyArray<PoolName>): Request | undefined {
    const queues = [this.#anywhere]
    for (const pool of pools) {
      const own = this.#own.get(pool)
      if (own !== undefined) queues.push(own)
    }
    const merged = (name: keyof Queues) =>
      new MergedQueues(
        this.#shares,
        queues.map((each) => each[name])
      )
    const next = takeFirst(this.#shares, merged("newcomers"), merged("others"))
    if (next !== undefined) this.withdraw(next)
    return next
  }

  /** The pool is gone: what waits for it waits for the other pools that it may use. */
  forget(pool: PoolName): void {
    const own = this.#own.get(pool)
    if (own === undefined) return
    for (const request of Array.from(this.#waiting)) {
      if (request.asked.anywhere || !request.pools.includes(pool)) continue
      this.withdraw(request)
      this.#enqueue(request)
    }
    this.#own.delete(pool)
    own.newcomers.close()
    own.others.close()
  }

  #enqueue(request: Request): void {
    const { anywhere, isNewcomer, priority, tenant } = request.asked
    const alive = request.pools.filter(this.#isAlive)
    request.pools = alive.length === 0 ? [request.runner] : alive
    const queues = anywhere ? [this.#anywhere] : request.pools.map((pool) => this.#queuesOf(pool))
    this.#waiting.add(request)
    request.withdraw = queues.map(({ newcomers, others }) =>
      (isNewcomer ? newcomers : others).add({ tenant, priority }, request)
    )
  }

  #queuesOf(pool: PoolName): Queues {
    const known = this.#own.get(pool)
    if (known !== undefined) return known
    const queues = this.#queues()
    this.#own.set(pool, queues)
    return queues
  }

  #queues(): Queues {
    return { newcomers: new FairQueue<Request>(this.#shares), others: new FairQueue<Request>(this.#shares) }
  }
}
