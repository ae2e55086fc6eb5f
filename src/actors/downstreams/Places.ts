import type { CallClass } from "../../domain/downstream/Downstream.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { FairQueue, takeFirst } from "../scheduling/FairQueue.ts"
import { Shares } from "../scheduling/FairShares.ts"
import { MinHeap } from "../scheduling/MinHeap.ts"

/** A call that waits for a place. */
export interface PlaceRequest {
  readonly tenant: TenantId
  readonly class: CallClass
  /** Among the calls of a tenant the highest goes first, then the oldest. */
  readonly priority: number
  /** The tenant's most calls under way at once. */
  readonly cap: number
}

/** How many calls may be under way, and how many of these places only online calls may have. */
export interface Room {
  readonly limit: number
  readonly reserve: number
}

/** What a tenant has at the moment, and what it used. */
export interface TenantUse {
  readonly tenant: TenantId
  inUse: number
  waiting: number
  used: number
}

interface Entry<R> {
  readonly request: R
  readonly order: number
  /** Takes it from the queue between tenants, if it is in it. */
  leave: (() => void) | undefined
  gone: boolean
}

interface Line<R> extends TenantUse {
  /** In the queue between tenants or under way: at most the tenant's cap. */
  offered: number
  /** Calls beyond the cap. */
  readonly parked: MinHeap<Entry<R>>
}

const mostIdle = 1_000

/**
 * The places of one downstream, and who is next: the tenant that has used the least of it (`Shares`), one instance for each
 * downstream. Online calls go before batch calls, unless a tenant that waits with batch calls has fallen far behind its share.
 *
 * A tenant at its cap is not in the queue between tenants. All methods return at once.
 */
export class Places<R extends PlaceRequest> {
  readonly #shares = new Shares()
  readonly #online = new FairQueue<Entry<R>>(this.#shares)
  readonly #batch = new FairQueue<Entry<R>>(this.#shares)
  readonly #lines = new Map<TenantId, Line<R>>()
  readonly #waiting = new Set<Entry<R>>()
  readonly #counts = { online: { inUse: 0, waiting: 0 }, batch: { inUse: 0, waiting: 0 } }
  readonly #room: () => Room
  /** Taken from its queue, but something else than places holds it back. */
  #head: Entry<R> | undefined
  #order = 0

  constructor(room: () => Room) {
    this.#room = room
  }

  get inUse(): number {
    return this.#counts.online.inUse + this.#counts.batch.inUse
  }

  get waiting(): number {
    return this.#waiting.size
  }

  of(kind: CallClass): { readonly inUse: number; readonly waiting: number } {
    return this.#counts[kind]
  }

  setWeight(tenant: TenantId, weight: number): void {
    this.#shares.setWeight(tenant, weight)
  }

  /** Adds a call, and returns how to withdraw it; that has no effect on a call that has its place. */
  add(request: R): () => void {
    const { tenant } = request
    const line = this.#line(tenant)
    const entry: Entry<R> = { request, order: this.#order++, leave: undefined, gone: false }
    this.#shares.opens(tenant, 1)
    this.#waiting.add(entry)
    line.waiting++
    this.#counts[request.class].waiting++
    if (line.offered < request.cap) this.#offer(line, entry)
    else line.parked.push(entry)
    return () => {
      if (entry.gone) return
      this.#depart(entry)
      this.#shares.opens(tenant, -1)
      entry.leave?.()
      if (this.#head === entry) this.#head = undefined
      if (entry.leave !== undefined) this.#offerNext(line, request.cap)
      this.#forget(line)
    }
  }

  /** Whether there is a call that may have a place now. */
  get mayGive(): boolean {
    if (this.#head !== undefined) return this.#hasRoom(this.#head.request.class)
    return (this.#online.size > 0 && this.#hasRoom("online")) || (this.#batch.size > 0 && this.#hasRoom("batch"))
  }

  /** The call that would get the next free place. It stays first until it has it or is withdrawn. */
  next(): R | undefined {
    this.#head ??= this.#take()
    const head = this.#head
    return head !== undefined && this.#hasRoom(head.request.class) ? head.request : undefined
  }

  /** Gives the call of `next` its place. `estimate`: what it will use, in the unit that tenants share. */
  give(estimate: number): void {
    const head = this.#head
    if (head === undefined) return
    const { class: kind, tenant } = head.request
    this.#head = undefined
    this.#depart(head)
    this.#line(tenant).inUse++
    this.#counts[kind].inUse++
    this.#shares.charge(tenant, estimate)
  }

  /** The call has ended, or its caller did not take the place. */
  release({ cap, class: kind, tenant }: R, estimate: number, used: number): void {
    const line = this.#line(tenant)
    line.inUse--
    line.used += used
    this.#counts[kind].inUse--
    this.#shares.settle(tenant, estimate, used)
    this.#shares.opens(tenant, -1)
    this.#offerNext(line, cap)
    this.#forget(line)
  }

  /** Every call that waits. */
  *requests(): Iterable<R> {
    for (const { request } of this.#waiting) yield request
  }

  /** Tenants with calls, and what was used by them and by others that had some of late; the most used first. */
  tenants(most: number): ReadonlyArray<TenantUse> {
    return Array.from(this.#lines.values(), ({ inUse, tenant, used, waiting }) => ({ inUse, tenant, used, waiting }))
      .toSorted((one, other) => other.used - one.used)
      .slice(0, most)
  }

  #hasRoom(kind: CallClass): boolean {
    const { limit, reserve } = this.#room()
    if (this.inUse >= limit) return false
    return kind === "online" || this.#counts.batch.inUse < Math.max(1, limit - reserve)
  }

  #take(): Entry<R> | undefined {
    if (this.#hasRoom("batch")) return takeFirst(this.#shares, this.#online, this.#batch)
    return this.#hasRoom("online") ? this.#online.take() : undefined
  }

  #offer(line: Line<R>, entry: Entry<R>): void {
    line.offered++
    const queue = entry.request.class === "online" ? this.#online : this.#batch
    entry.leave = queue.add(entry.request, entry)
  }

  /** One call of the tenant has left the queue or its place, so one that was beyond the cap may follow. */
  #offerNext(line: Line<R>, cap: number): void {
    line.offered--
    while (line.offered < cap) {
      const next = line.parked.pop()
      if (next === undefined) return
      if (!next.gone) this.#offer(line, next)
    }
  }

  #depart(entry: Entry<R>): void {
    const { class: kind, tenant } = entry.request
    entry.gone = true
    this.#waiting.delete(entry)
    this.#line(tenant).waiting--
    this.#counts[kind].waiting--
  }

  #line(tenant: TenantId): Line<R> {
    const known = this.#lines.get(tenant)
    if (known !== undefined) return known
    const parked = new MinHeap<Entry<R>>(
      (a, b) => rank(b.request) - rank(a.request) || b.request.priority - a.request.priority || a.order - b.order
    )
    const line = { tenant, inUse: 0, waiting: 0, used: 0, offered: 0, parked }
    this.#lines.set(tenant, line)
    return line
  }

  /** Of tenants without calls only so many are kept; the longest known go first. */
  #forget(line: Line<R>): void {
    if (line.inUse > 0 || line.waiting > 0 || this.#lines.size <= mostIdle) return
    for (const { inUse, tenant, waiting } of this.#lines.values()) {
      if (inUse > 0 || waiting > 0) continue
      this.#lines.delete(tenant)
      return
    }
  }
}

const rank = ({ class: kind }: PlaceRequest): number => (kind === "online" ? 1 : 0)
