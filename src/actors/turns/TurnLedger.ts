import type { TenantId } from "../../domain/Ids.ts"
import type { PoolName } from "../../services/pools/Pools.ts"
import type { Shares, Standing } from "../scheduling/FairShares.ts"
import { ActiveTenants } from "./ActiveTenants.ts"
import { type Request, Requests } from "./Requests.ts"
import type { Answer, GivenTurn, News, TurnNumber, TurnRequest } from "./TurnsProtocol.ts"

/** A new ledger gives nothing for so long: the runners say first what they hold of the turns of an earlier one. */
export const learningMillis = 1_000
/** A runner not heard of for so long is taken for dead. */
export const silentMillis = 2_500

/** A runner: home of tenants that ask for turns, and a pool of workers. */
interface RunnerState {
  readonly name: PoolName
  heardAt: number
  /** Of the last news that were taken. */
  number: number
  ready: number
  openWeight: number
  /** Turns given in its pool. */
  given: number
  /** What its tenants ask for, and have. */
  readonly requests: Map<TurnNumber, Request>
  /** What it has not been told yet. */
  toTell: { given: Array<GivenTurn>; lost: Array<TurnNumber> }
  /** Tenants whose virtual times it is told next. */
  readonly concerned: Set<TenantId>
}

/**
 * Who is given the turns of all runners' workers: requests, turns, pools and shares. Every method is one step without effects;
 * the time is passed in.
 *
 * - A request waits, then it is a turn in one pool, then it has ended. A turn is given only while its pool has a ready worker.
 * - All of it is soft: a new ledger learns from the runners what they ask for and hold. Only virtual times are kept elsewhere.
 * - A turn is the right to use a worker. Which pages are read in it is the tenant's business, so no page depends on a ledger.
 */
export class TurnLedger {
  readonly #shares: Shares
  readonly #begun: number
  readonly #runners = new Map<PoolName, RunnerState>()
  readonly #requests: Requests
  readonly #active: ActiveTenants

  constructor(shares: Shares, now: number) {
    this.#shares = shares
    this.#begun = now
    this.#requests = new Requests(shares, (pool) => this.#runners.has(pool))
    this.#active = new ActiveTenants(shares)
  }

  /** Takes the news, unless they do not follow the last ones of this runner: then it has to say everything. */
  hear(news: News, now: number): boolean {
    const known = this.#runners.get(news.runner)
    if (known !== undefined) known.heardAt = now
    if (news.isComplete) {
      const runner = known ?? this.#meet(news.runner, now)
      if (known !== undefined && news.number <= known.number) return true
      this.#compare(runner, news)
      this.#take(runner, news, now)
      return true
    }
    if (known === undefined || news.number > known.number + 1) return false
    if (news.number === known.number + 1) this.#take(known, news, now)
    return true
  }

  /** Gives turns while there are workers for them. */
  give(now: number): void {
    if (now - this.#begun < learningMillis) return
    for (;;) {
      const free = [...this.#runners.values()].filter(({ given, ready }) => given < ready)
      if (free.length === 0) return
      const request = this.#requests.take(free.map(({ name }) => name))
      if (request === undefined) return
      const pool = this.#choose(request, free)
      this.#begin(request, pool)
      this.#runners.get(request.runner)?.toTell.given.push({ turn: request.asked.turn, pool: pool.name })
    }
  }

  /** Gives up runners that have been silent: their requests end, and so do the turns in their pools. */
  tick(now: number): void {
    for (const runner of this.#runners.values()) if (now - runner.heardAt > silentMillis) this.#lose(runner)
    this.#active.tick(now)
  }

  /** Runners to which there is something to tell. */
  *toTell(): Iterable<PoolName> {
    for (const { name, toTell } of this.#runners.values()) {
      if (toTell.given.length > 0 || toTell.lost.length > 0) yield name
    }
  }

  /** What the runner has not been told yet. It counts as told from now on. */
  tell(name: PoolName): Answer {
    const answer = this.standingOf(name)
    const runner = this.#runners.get(name)
    if (runner === undefined) return answer
    const { given, lost } = runner.toTell
    runner.toTell = { given: [], lost: [] }
    runner.concerned.clear()
    return { ...answer, given, lost }
  }

  /** An answer that tells of no turn: how many there are, and how the runner's tenants stand. */
  standingOf(name: PoolName): Answer {
    const runner = this.#runners.get(name)
    const { due, floor } = this.#shares
    let turns = 0
    for (const { ready } of this.#runners.values()) turns += ready
    const tenants = new Set(runner?.concerned)
    for (const { asked } of runner?.requests.values() ?? []) tenants.add(asked.tenant)
    const virtualTimes = Array.from(tenants, (tenant) => ({ tenant, virtualTime: this.#shares.virtualTime(tenant) }))
    return { isKnown: runner !== undefined, given: [], lost: [], turns, standing: { floor, due, virtualTimes } }
  }

  standing(): Standing {
    return this.#shares.standing()
  }

  #meet(name: PoolName, now: number): RunnerState {
    const runner: RunnerState = {
      name,
      heardAt: now,
      number: 0,
      ready: 0,
      openWeight: 0,
      given: 0,
      requests: new Map(),
      toTell: { given: [], lost: [] },
      concerned: new Set()
    }
    this.#runners.set(name, runner)
    return runner
  }

  #take(runner: RunnerState, news: News, now: number): void {
    runner.number = news.number
    runner.ready = news.ready
    runner.openWeight = news.openWeight
    let openWeight = 0
    for (const other of this.#runners.values()) openWeight += other.openWeight
    this.#shares.declareOpenWeight(openWeight)
    // Requests first: a tenant that goes on at once does not count as idle in between.
    for (const asked of news.asked) if (!runner.requests.has(asked.turn)) this.#wait(runner, asked, now)
    for (const { turn, usedMillis } of news.ended) {
      const request = runner.requests.get(turn)
      if (request !== undefined) this.#end(runner, request, usedMillis)
    }
  }

  /** Brings the requests of the runner in line with complete news, which `#take` applies then. */
  #compare(runner: RunnerState, news: News): void {
    const named = new Set([...news.asked, ...news.ended].map(({ turn }) => turn))
    for (const { pool, request: asked } of news.held) {
      named.add(asked.turn)
      this.#hold(runner, asked, pool)
    }
    for (const [turn, request] of runner.requests) if (!named.has(turn)) this.#end(runner, request, 0)
    runner.toTell = { given: [], lost: [] }
    // It waits for turns that it was given, but of which it has not heard.
    for (const { turn } of news.asked) {
      const pool = runner.requests.get(turn)?.pool
      if (pool !== undefined) runner.toTell.given.push({ turn, pool })
    }
  }

  /** The runner has this turn, which this ledger or an earlier one gave. A pool that is not known yet has to be heard of in time. */
  #hold(runner: RunnerState, asked: TurnRequest, name: PoolName): void {
    const known = runner.requests.get(asked.turn)
    if (known?.pool === name) return
    if (known !== undefined) this.#end(runner, known, 0)
    const pool = this.#runners.get(name) ?? this.#meet(name, runner.heardAt)
    this.#begin(this.#wait(runner, asked, runner.heardAt), pool)
  }

  #wait(runner: RunnerState, asked: TurnRequest, now: number): Request {
    this.#shares.setWeight(asked.tenant, asked.weight)
    this.#active.begins(asked.tenant, now)
    const request = this.#requests.add(runner.name, asked)
    runner.requests.set(asked.turn, request)
    return request
  }

  #begin(request: Request, pool: RunnerState): void {
    this.#requests.withdraw(request)
    request.pool = pool.name
    pool.given++
    this.#shares.charge(request.asked.tenant, request.asked.estimatedMillis)
  }

  /** A request, or a turn, is over. */
  #end(runner: RunnerState, request: Request, usedMillis: number): void {
    const { estimatedMillis, tenant, turn } = request.asked
    runner.requests.delete(turn)
    runner.concerned.add(tenant)
    this.#requests.withdraw(request)
    if (request.pool !== undefined) {
      const pool = this.#runners.get(request.pool)
      if (pool !== undefined) pool.given--
      this.#shares.settle(tenant, estimatedMillis, usedMillis)
    }
    this.#active.ends(tenant, runner.heardAt)
  }

  #lose(runner: RunnerState): void {
    for (const request of runner.requests.values()) this.#end(runner, request, 0)
    this.#runners.delete(runner.name)
    for (const other of this.#runners.values()) {
      for (const request of other.requests.values()) {
        if (request.pool !== runner.name) continue
        this.#end(other, request, 0)
        other.toTell.lost.push(request.asked.turn)
      }
    }
    this.#requests.forget(runner.name)
  }

  /** A pool that has the document open, or that of the tenant's own runner, or the one with most workers free. */
  #choose({ asked, pools, runner }: Request, free: ReadonlyArray<RunnerState>): RunnerState {
    const rank = ({ given, name, ready }: RunnerState) =>
      (asked.pools.includes(name) ? 2e6 : 0) + (name === runner ? 1e6 : 0) + ready - given
    const allowed = asked.anywhere ? free : free.filter(({ name }) => pools.includes(name))
    return allowed.reduce((best, pool) => (rank(pool) > rank(best) ? pool : best))
  }
}
