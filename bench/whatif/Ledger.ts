import type { TenantId } from "../../src/domain/Ids.ts"

export class Account {
  weight = 1
  paused = false
  /** Documents that have come and not ended. */
  open = 0
  /** Workers that work for it now. */
  workers = 0
  pages = 0
  documents = 0
  refused = 0
  workerMillis = 0
  /** While at least one other tenant had work, too. */
  received = 0
  entitled = 0
  readonly firstPage: Array<number> = []
  readonly end: Array<number> = []
}

interface Arrival {
  readonly tenant: TenantId
  readonly at: number
  seen: boolean
  open: boolean
  /** At least once; it may have been retried since. */
  ended: boolean
}

/** Adds up what each tenant gets, and what it is entitled to, between any two happenings of a replay. */
export class Ledger {
  readonly #accounts = new Map<TenantId, Account>()
  readonly #arrivals = new Map<string, Arrival>()
  readonly #active = new Set<Account>()
  #at = 0
  #contended = 0
  #first: number | undefined
  #last = 0

  get makespan(): number {
    return Math.max(0, this.#last - (this.#first ?? 0))
  }

  /** Worker time that was to be divided among two tenants or more. */
  get contendedMillis(): number {
    return this.#contended
  }

  get accounts(): ReadonlyMap<TenantId, Readonly<Account>> {
    return this.#accounts
  }

  setWeight(tenant: TenantId, weight: number, now: number): void {
    this.#advance(now)
    this.#account(tenant).weight = weight
  }

  /** Who is paused is entitled to nothing, but for what it has begun. */
  setPaused(tenant: TenantId, paused: boolean, now: number): void {
    this.#advance(now)
    this.#account(tenant).paused = paused
  }

  arrived(document: string, tenant: TenantId, now: number): void {
    this.#advance(now)
    this.#first ??= now
    const known = this.#arrivals.get(document)
    if (known?.open === true) return
    if (known === undefined) this.#arrivals.set(document, { tenant, at: now, seen: false, open: true, ended: false })
    else known.open = true
    const account = this.#account(tenant)
    account.open++
    this.#active.add(account)
  }

  refused(tenant: TenantId): void {
    this.#account(tenant).refused++
  }

  paged(document: string, now: number): void {
    const arrival = this.#arrivals.get(document)
    if (arrival === undefined) return
    const account = this.#account(arrival.tenant)
    account.pages++
    if (!arrival.seen) account.firstPage.push(now - arrival.at)
    arrival.seen = true
  }

  ended(document: string, now: number): void {
    const arrival = this.#arrivals.get(document)
    if (arrival?.open !== true) return
    this.#advance(now)
    this.#last = Math.max(this.#last, now)
    arrival.open = false
    const account = this.#account(arrival.tenant)
    if (!arrival.ended) {
      account.documents++
      account.end.push(now - arrival.at)
    }
    arrival.ended = true
    account.open--
    if (account.open === 0) this.#active.delete(account)
  }

  works(tenant: TenantId, workers: 1 | -1, now: number): void {
    this.#advance(now)
    this.#account(tenant).workers += workers
  }

  #account(tenant: TenantId): Account {
    const known = this.#accounts.get(tenant) ?? new Account()
    this.#accounts.set(tenant, known)
    return known
  }

  #advance(now: number): void {
    const millis = now - this.#at
    this.#at = now
    if (millis <= 0 || this.#active.size === 0) return
    let [workers, weights, tenants] = [0, 0, 0]
    for (const account of this.#active) {
      account.workerMillis += account.workers * millis
      workers += account.workers
      weights += weightOf(account)
      if (weightOf(account) > 0) tenants++
    }
    if (tenants < 2) return
    this.#contended += workers * millis
    for (const account of this.#active) {
      account.received += account.workers * millis
      account.entitled += (workers * millis * weightOf(account)) / weights
    }
  }
}

const weightOf = ({ paused, weight, workers }: Account): number => (paused && workers === 0 ? 0 : weight)
