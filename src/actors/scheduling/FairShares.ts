import { Context, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { MinHeap } from "./MinHeap.ts"

interface Account {
  readonly tenant: TenantId
  virtualTime: number
  version: number
  /** Entries in queues: the turns and permits that the tenant waits for. */
  waiting: number
  /** Turns of a worker that it has at present. */
  given: number
  /** Documents open, or waiting to be opened. */
  open: number
}

/** A tenant with work. */
export interface Active {
  readonly tenant: TenantId
  readonly weight: number
  /** It waits for a permit of the global gate, or for a turn of a worker. */
  readonly waits: boolean
}

/** How tenants stand to each other: virtual times, the floor below which none begins, and what exactly a share would be. */
export interface Standing {
  readonly floor: number
  readonly due: number
  readonly virtualTimes: ReadonlyArray<{ readonly tenant: TenantId; readonly virtualTime: number }>
}

/**
 * The margin in milliseconds of worker time. A busy tenant that is further ahead of another, waiting busy tenant can lose a
 * permit to it; with no margin the two would only change places. An idle tenant no further ahead of its share is a newcomer.
 */
const mostAhead = 250
/** Milliseconds of worker time that a tenant may fall behind its share because of newcomers. */
const mostBehind = 500

interface Rank {
  readonly account: Account
  readonly virtualTime: number
  readonly version: number
}

const leastSweep = 1024
/**
 * Milliseconds of worker time by which a tenant with open documents may be behind and still catch up: between its permit and
 * its turn it waits for nothing, and yet is not idle. Time that it does not use because of its own low limits is lost.
 */
const mostCredit = 250

/**
 * The workers' time that each tenant has had, as virtual time: it grows by `milliseconds used / weight`. The tenant with the
 * least is next, both at the global gate and in the queue for turns.
 *
 * A tenant that begins to wait starts no earlier than the virtual time of the least served waiting tenant when a permit or a turn
 * was last given (the floor), so idle time earns no credit; and no earlier than its own virtual time, so leaving and coming back
 * forgives no debt. When no tenant waits and nothing runs, all debts are void: they kept no tenant waiting.
 */
export class Shares {
  readonly #accounts = new Map<TenantId, Account>()
  readonly #weights = new Map<TenantId, number>()
  readonly #ranks = new MinHeap<Rank>((a, b) => a.virtualTime - b.virtualTime)
  readonly #changed = new Set<(tenant: TenantId) => void>()
  readonly #used: Array<(tenant: TenantId, millis: number) => void> = []
  #floor = 0
  #due = 0
  #openWeight = 0
  /** The weight of all tenants with open documents, where others know it better than this object. */
  #declaredWeight: number | undefined
  #latest = 0
  #waiting = 0
  #given = 0
  #sweepAbove = leastSweep

  /** The number of accounts: tenants with work, and tenants with a debt. */
  get accounts(): number {
    return this.#accounts.size
  }

  /** The virtual time of the least served waiting tenant when a permit or a turn was last given; new waiters start there. */
  get floor(): number {
    return this.#floor
  }

  /** The virtual time of a tenant that has had exactly its share. The floor stays behind it, and moves in leaps. */
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

  /** If the tenant was idle, it is a newcomer and goes first. */
  isWithinShare(tenant: TenantId): boolean {
    return this.virtualTime(tenant) <= this.due + mostAhead / this.weight(tenant)
  }

  /** No newcomer goes before this tenant, or a steady stream of newcomers could keep it waiting without end. */
  isFarBehind(tenant: TenantId): boolean {
    return this.virtualTime(tenant) < this.due - mostBehind / this.weight(tenant)
  }

  weight(tenant: TenantId): number {
    return this.#weights.get(tenant) ?? 1
  }

  /**
   * Applies to all time used from now on, also by work that waits already. The tenant's distance from the floor stays the same
   * in milliseconds, and so do the charges of turns that have not ended.
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
    // The latest virtual time may have been its own, by the old weight.
    this.#latest = this.#floor
    for (const { virtualTime } of this.#accounts.values()) this.#latest = Math.max(this.#latest, virtualTime)
  }

  /** The weight of all tenants with a document open or waiting to be opened. */
  get openWeight(): number {
    return this.#declaredWeight ?? this.#openWeight
  }

  declareOpenWeight(weight: number): void {
    this.#declaredWeight = weight
  }

  /** All virtual times: those of the accounts, and where the others begin. */
  standing(): Standing {
    const virtualTimes = Array.from(this.#accounts.values(), ({ tenant, virtualTime }) => ({ tenant, virtualTime }))
    return { floor: this.#floor, due: this.due, virtualTimes }
  }

  /** Takes over virtual times that others have counted; those of tenants not named stay, or rise to the floor. */
  adopt({ due, floor, virtualTimes }: Standing): void {
    this.#floor = floor
    this.#due = due
    for (const { tenant, virtualTime } of virtualTimes) {
      const account = this.#account(tenant)
      if (account.virtualTime !== virtualTime) this.#moveTo(account, virtualTime)
      this.#latest = Math.max(this.#latest, virtualTime)
    }
  }

  /** Tenants with a document open or waiting to be opened. */
  active(): ReadonlyArray<Active> {
    const active: Array<Active> = []
    for (const { open, tenant, waiting } of this.#accounts.values()) {
      if (open > 0) active.push({ tenant, weight: this.weight(tenant), waits: waiting > 0 })
    }
    return active
  }

  /** The tenant has one document more, or one less, that is open or waits to be opened. */
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

  /** To be called before the next item is taken from a queue. */
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
    this.#due = Math.min(this.#latest, this.due + usedMillis / Math.max(this.openWeight, this.weight(tenant)))
    for (const listener of this.#used) listener(tenant, usedMillis)
    if (this.#waiting === 0 && this.#given === 0) this.#floor = Math.max(this.#floor, this.#latest)
    this.#forgetSettled()
  }

  /** Calls the listener whenever the virtual time of a tenant that waits has changed. Returns how to end that. */
  onChange(listener: (tenant: TenantId) => void): () => void {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
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

  /** Drops accounts without work and without debt: a new account would be the same. Amortised O(1) per turn. */
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
