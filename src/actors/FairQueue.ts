import type { TenantId } from "../domain/Ids.ts"
import { MinHeap } from "./MinHeap.ts"

/**
 * Start-time fair queueing of turns between tenants.
 *
 * Every tenant has a virtual time that grows by `milliseconds used / weight`. The next turn goes to the waiting tenant
 * with the least virtual time: an estimate is charged when the turn is given, and `settle` corrects it to what was used.
 * A tenant that begins to wait starts no earlier than the current virtual time, so idling earns no credit; it starts no
 * earlier than its own last charge either, so leaving and coming back forgives no debt. When nobody waits and nothing
 * runs, all debts are void: nobody was kept waiting for them.
 *
 * A pick costs O(log tenants), whatever the depth of any backlog. The heap holds outdated entries of tenants whose
 * virtual time has changed since; they are told by their version and skipped.
 */
export interface Turn {
  readonly tenant: TenantId
  readonly weight: number
  /** Within a tenant the highest goes first, then the oldest. */
  readonly priority: number
  readonly estimatedMillis: number
}

interface Waiting<A> {
  readonly turn: Turn
  readonly item: A
  readonly order: number
  withdrawn: boolean
}

interface Account<A> {
  readonly tenant: TenantId
  virtualTime: number
  version: number
  waiting: number
  readonly queue: MinHeap<Waiting<A>>
}

interface Ready<A> {
  readonly account: Account<A>
  readonly virtualTime: number
  readonly version: number
  readonly order: number
}

const leastSweep = 1024

export class FairQueue<A> {
  readonly #accounts = new Map<TenantId, Account<A>>()
  readonly #ready = new MinHeap<Ready<A>>((a, b) => a.virtualTime - b.virtualTime || a.order - b.order)
  #now = 0
  #latest = 0
  #waiting = 0
  #given = 0
  #order = 0
  #sweepAbove = leastSweep

  /** Tenants that are remembered: those with turns, and those with a debt to carry. */
  get accounts(): number {
    return this.#accounts.size
  }

  /** Adds a turn and returns how to withdraw it; withdrawing a turn that was given has no effect. */
  add(turn: Turn, item: A): () => void {
    const account = this.#account(turn.tenant)
    const waiting: Waiting<A> = { turn, item, order: this.#order++, withdrawn: false }
    account.queue.push(waiting)
    account.waiting++
    this.#waiting++
    if (account.waiting === 1) {
      account.virtualTime = Math.max(account.virtualTime, this.#now)
      this.#announce(account)
    }
    return () => {
      if (waiting.withdrawn) return
      waiting.withdrawn = true
      account.waiting--
      this.#waiting--
    }
  }

  /** The next turn, already charged with its estimate. */
  take(): { readonly turn: Turn; readonly item: A } | undefined {
    for (;;) {
      const ready = this.#ready.pop()
      if (ready === undefined) return undefined
      const { account } = ready
      if (ready.version !== account.version || account.waiting === 0) continue
      const next = this.#takeFrom(account)
      if (next === undefined) continue
      this.#now = Math.max(this.#now, account.virtualTime)
      account.virtualTime += next.turn.estimatedMillis / next.turn.weight
      this.#given++
      this.#announce(account)
      return next
    }
  }

  /** Corrects the charge of a turn that has ended. */
  settle(turn: Turn, usedMillis: number): void {
    const account = this.#account(turn.tenant)
    account.virtualTime += (usedMillis - turn.estimatedMillis) / turn.weight
    this.#latest = Math.max(this.#latest, account.virtualTime)
    this.#given--
    this.#announce(account)
    if (this.#waiting === 0 && this.#given === 0) this.#now = this.#latest
    this.#forgetSettled()
  }

  #takeFrom(account: Account<A>): Waiting<A> | undefined {
    for (;;) {
      const waiting = account.queue.pop()
      if (waiting === undefined) return undefined
      if (waiting.withdrawn) continue
      waiting.withdrawn = true
      account.waiting--
      this.#waiting--
      return waiting
    }
  }

  #announce(account: Account<A>): void {
    account.version++
    if (account.waiting === 0) return
    const { virtualTime, version } = account
    this.#ready.push({ account, virtualTime, version, order: this.#order++ })
  }

  #account(tenant: TenantId): Account<A> {
    const known = this.#accounts.get(tenant)
    if (known !== undefined) return known
    const created: Account<A> = {
      tenant,
      virtualTime: this.#now,
      version: 0,
      waiting: 0,
      queue: new MinHeap((a, b) => b.turn.priority - a.turn.priority || a.order - b.order)
    }
    this.#accounts.set(tenant, created)
    return created
  }

  /** Accounts without turns and without debt carry nothing that new ones would not. Amortised O(1) per turn. */
  #forgetSettled(): void {
    if (this.#accounts.size <= this.#sweepAbove) return
    for (const account of this.#accounts.values()) {
      if (account.waiting === 0 && account.virtualTime <= this.#now) this.#accounts.delete(account.tenant)
    }
    this.#sweepAbove = Math.max(leastSweep, 2 * this.#accounts.size)
  }
}
