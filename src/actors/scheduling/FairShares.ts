import { Context, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { MinHeap } from "./MinHeap.ts"

interface Account {
  readonly tenant: TenantId
  virtualTime: number
  version: number
  /** Entries in queues: what it waits for. */
  waiting: number
  /** Turns of a worker it has now. */
  given: number
  /** Documents open, or waiting to be opened. */
  open: number
}

/** A tenant with work. */
export interface Active {
  readonly tenant: TenantId
  readonly weight: number
  /** For a permit of the global gate, or for a turn of a worker. */
  readonly waits: boolean
}

/**
 * Milliseconds of worker time that one may be ahead: a busy tenant of another busy one that waits, before a document of its
 * gives its permit back, or the two would only change places; and an idle one of its share, to go first when it comes.
 */
const mostAhead = 250
/** Milliseconds of worker time that a tenant may fall behind its share for the sake of those who go first. */
const mostBehind = 500

interface Rank {
  readonly account: Account
  readonly virtualTime: number
  readonly version: number
}

const leastSweep = 1024
/**
 * Milliseconds of worker time that a tenant with documents open may be behind and still catch up with: between its permit and
 * its turn it waits for nothing, and is not idle. What it leaves because its own limits are low, it does not get back.
 */
const mostCredit = 250

/**
 * What each tenant has had of the workers' time, as virtual time: it grows by `milliseconds used / weight`, and whoever has
 * the least is next, at the global gate as in the queue for turns.
 *
 * Who begins to wait starts no earlier than the least served of those who waited when something was last given, so idling
 * earns no credit; and no earlier than its own virtual time, so leaving and coming back forgives no debt. When nobody waits
 * and nothing runs, all debts are void: nobody was kept waiting for them.
 */
export class Shares {
  readonly #accounts = new Map<TenantId, Account>()
  readonly #weights = new Map<TenantId, number>()
  readonly #ranks = new MinHeap<Rank>((a, b) => a.virtualTime - b.virtualTime)
  readonly #changed: Array<(tenant: TenantId) => void> = []
  readonly #used: Array<(tenant: TenantId, millis: number) => void> = []
  #floor = 0
  #due = 0
  #openWeight = 0
  #latest = 0
  #waiting = 0
  #given = 0
  #sweepAbove = leastSweep

  /** Tenants that are remembered: those with work, and those with a debt to carry. */
  get accounts(): number {
    return this.#accounts.size
  }

  /** Where who begins to wait starts: what the least served tenant had when a permit or a turn was last given. */
  get floor(): number {
    return this.#floor
  }

  /** What a tenant would have by now that had got exactly its share. The floor stays behind it, and moves in leaps. */
  get due(): number {
    return Math.max(this.#floor, this.#due)
  }

  virtualTime(tenant: TenantId): number {
    return this.#accounts.get(tenant)?.virtualTime ?? this.floor
  }

  /** The virtual time from which on a tenant is far ahead of this one. */
  farAheadOf(tenant: TenantId): number {
    return this.virtualTime(tenant) + mostAhead / this.weight(tenant)
  }

  /** It may go first, if it was idle. */
  isWithinShare(tenant: TenantId): boolean {
    return this.virtualTime(tenant) <= this.due + mostAhead / this.weight(tenant)
  }

  /** Nobody may go before it, or a steady stream of those who were idle could keep it waiting without end. */
  isFarBehind(tenant: TenantId): boolean {
    return this.virtualTime(tenant) < this.due - mostBehind / this.weight(tenant)
  }

  weight(tenant: TenantId): number {
    return this.#weights.get(tenant) ?? 1
  }

  /**
   * Holds for all time used from now on, that of work which waits already included. What the tenant is ahead of the floor, or
   * behind it, stays the same in milliseconds, and so do the charges of turns that have not ended.
   */
  setWeight(tenant: TenantId, weight: number): void {
    const before = this.weight(tenant)
    if (weight === before) return
    if (weight === 1) this.#weights.delete(tenant)
    else this.#weights.set(tenant, weight)
    const account = this.#accounts.get(tenant)
    if (account === undefined) return
    if (account.open > 0) this.#openWeight += weight - before
    this.#moveTo(account, this.#floor + (account.virtualTime - this.#floor) * (before / weight))
    // The latest may have been its own, by the old weight.
    this.#latest = this.#floor
    for (const { virtualTime } of this.#accounts.values()) this.#latest = Math.max(this.#latest, virtualTime)
  }

  /** Tenants with a document open or waiting to be opened. */
  active(): ReadonlyArray<Active> {
    const active: Array<Active> = []
    for (const { open, tenant, waiting } of this.#accounts.values()) {
      if (open > 0) active.push({ tenant, weight: this.weight(tenant), waits: waiting > 0 })
    }
    return active
  }

  /** The tenant has work from now on, or has so much less. */
  opens(tenant: TenantId, documents: 1 | -1): void {
    const account = this.#account(tenant)
    const before = account.open
    account.open += documents
    if (before === 0) {
      this.#openWeight += this.weight(tenant)
      account.virtualTime = Math.max(account.virtualTime, this.#floor)
    }
    if (account.open === 0) this.#openWeight -= this.weight(tenant)
  }

  waits(tenant: TenantId): void {
    const account = this.#account(tenant)
    if (account.waiting === 0) {
      const credit = account.open > 0 ? mostCredit / this.weight(tenant) : 0
      account.virtualTime = Math.max(account.virtualTime, this.#floor - credit)
    }
    account.waiting++
    this.#waiting++
    if (account.waiting === 1) this.#rank(account)
  }

  waitsNoMore(tenant: TenantId): void {
    this.#account(tenant).waiting--
    this.#waiting--
  }

  /** To be called before what is next in a queue is taken from it. */
  raiseFloor(): void {
    for (let least = this.#ranks.peek(); least !== undefined; least = this.#ranks.peek()) {
      const { account, version, virtualTime } = least
      if (version === account.version && account.waiting > 0) {
        this.#floor = Math.max(this.#floor, virtualTime)
        return
      }
      this.#ranks.pop()
    }
  }

  /** A turn is given, and charged with its estimate. */
  charge(tenant: TenantId, estimatedMillis: number): void {
    const account = this.#account(tenant)
    account.given++
    this.#given++
    this.#advance(account, estimatedMillis)
  }

  /** A turn has ended: its charge is corrected to what was used. */
  settle(tenant: TenantId, estimatedMillis: number, usedMillis: number): void {
    const account = this.#account(tenant)
    account.given--
    this.#given--
    this.#advance(account, usedMillis - estimatedMillis)
    this.#latest = Math.max(this.#latest, account.virtualTime)
    this.#due = Math.min(this.#latest, this.due + usedMillis / Math.max(this.#openWeight, this.weight(tenant)))
    for (const listener of this.#used) listener(tenant, usedMillis)
    if (this.#waiting === 0 && this.#given === 0) this.#floor = Math.max(this.#floor, this.#latest)
    this.#forgetSettled()
  }

  /** Calls the listener whenever the virtual time of a tenant that waits has changed. */
  onChange(listener: (tenant: TenantId) => void): void {
    this.#changed.push(listener)
  }

  /** Calls the listener with the worker time of every turn that has ended. */
  onUse(listener: (tenant: TenantId, millis: number) => void): void {
    this.#used.push(listener)
  }

  #advance(account: Account, millis: number): void {
    this.#moveTo(account, account.virtualTime + millis / this.weight(account.tenant))
  }

  #moveTo(account: Account, virtualTime: number): void {
    account.virtualTime = virtualTime
    account.version++
    if (account.waiting === 0) return
    this.#rank(account)
    for (const listener of this.#changed) listener(account.tenant)
  }

  #rank(account: Account): void {
    const { version, virtualTime } = account
    this.#ranks.push({ account, version, virtualTime })
  }

  #account(tenant: TenantId): Account {
    const known = this.#accounts.get(tenant)
    if (known !== undefined) return known
    const created = { tenant, virtualTime: this.floor, version: 0, waiting: 0, given: 0, open: 0 }
    this.#accounts.set(tenant, created)
    return created
  }

  /** Accounts without work and without debt carry nothing that new ones would not. Amortised O(1) per turn. */
  #forgetSettled(): void {
    if (this.#accounts.size <= this.#sweepAbove) return
    for (const { given, open, tenant, virtualTime, waiting } of this.#accounts.values()) {
      if (waiting === 0 && given === 0 && open === 0 && virtualTime <= this.#floor) this.#accounts.delete(tenant)
    }
    this.#sweepAbove = Math.max(leastSweep, 2 * this.#accounts.size)
  }
}

/** The shares of this process's tenants. */
export class FairShares extends Context.Service<FairShares, Shares>()("sluice/actors/scheduling/FairShares") {
  static readonly layer = Layer.sync(FairShares, () => new Shares())
}
