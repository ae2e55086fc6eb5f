import type { TenantId } from "../../domain/Ids.ts"
import type { Shares } from "./FairShares.ts"
import { MinHeap } from "./MinHeap.ts"

/** The tenant that waits for a turn or a permit, and the priority. */
export interface Place {
  readonly tenant: TenantId
  /** Within a tenant the highest goes first, then the oldest. */
  readonly priority: number
}

interface Waiting<A> {
  readonly item: A
  readonly priority: number
  readonly order: number
  gone: boolean
}

interface Line<A> {
  readonly tenant: TenantId
  readonly queue: MinHeap<Waiting<A>>
  waiting: number
  version: number
}

interface Ready<A> {
  readonly line: Line<A>
  readonly virtualTime: number
  readonly version: number
  readonly order: number
}

/**
 * A queue between tenants. The next item belongs to the tenant that has had the least of the workers' time (see `FairShares`);
 * among the items of one tenant it is that of the highest priority, then the oldest.
 *
 * Taking costs O(log tenants), whatever the depth of any backlog. The heap holds outdated entries of tenants whose virtual
 * time has changed since; they are recognised by their version and skipped.
 */
export class FairQueue<A> {
  readonly #shares: Shares
  readonly #lines = new Map<TenantId, Line<A>>()
  readonly #ready = new MinHeap<Ready<A>>((a, b) => a.virtualTime - b.virtualTime || a.order - b.order)
  #order = 0
  readonly #unwatch: () => void
  #waiting = 0

  constructor(shares: Shares) {
    this.#shares = shares
    this.#unwatch = shares.onChange((tenant) => {
      const line = this.#lines.get(tenant)
      if (line !== undefined) this.#announce(line)
    })
  }

  get size(): number {
    return this.#waiting
  }

  /** It is not used any more. Nothing may wait in it. */
  close(): void {
    this.#unwatch()
  }

  /** Adds an item and returns how to withdraw it; withdrawing what was taken has no effect. */
  add({ priority, tenant }: Place, item: A): () => void {
    this.#shares.waits(tenant)
    const line = this.#line(tenant)
    const waiting: Waiting<A> = { item, priority, order: this.#order++, gone: false }
    line.queue.push(waiting)
    line.waiting++
    this.#waiting++
    if (line.waiting === 1) this.#announce(line)
    return () => {
      if (!waiting.gone) this.#leave(line, waiting)
    }
  }

  /** The tenant of the next item. */
  next(): TenantId | undefined {
    return this.#first()?.tenant
  }

  take(): A | undefined {
    const line = this.#first()
    if (line === undefined) return undefined
    this.#shares.raiseFloor()
    for (let next = line.queue.pop(); next !== undefined; next = line.queue.pop()) {
      if (next.gone) continue
      this.#leave(line, next)
      // The tenant's entry was taken from the heap. A charge by the caller would add it again; this covers the case of none.
      this.#announce(line)
      return next.item
    }
    return undefined
  }

  #first(): Line<A> | undefined {
    for (let top = this.#ready.peek(); top !== undefined; top = this.#ready.peek()) {
      if (top.version === top.line.version && top.line.waiting > 0) return top.line
      this.#ready.pop()
    }
    return undefined
  }

  #leave(line: Line<A>, waiting: Waiting<A>): void {
    waiting.gone = true
    line.waiting--
    this.#waiting--
    this.#shares.waitsNoMore(line.tenant)
    if (line.waiting === 0) this.#lines.delete(line.tenant)
  }

  #announce(line: Line<A>): void {
    line.version++
    if (line.waiting === 0) return
    const virtualTime = this.#shares.virtualTime(line.tenant)
    this.#ready.push({ line, virtualTime, version: line.version, order: this.#order++ })
  }

  #line(tenant: TenantId): Line<A> {
    const known = this.#lines.get(tenant)
    if (known !== undefined) return known
    const queue = new MinHeap<Waiting<A>>((a, b) => b.priority - a.priority || a.order - b.order)
    const created: Line<A> = { tenant, queue, waiting: 0, version: 0 }
    this.#lines.set(tenant, created)
    return created
  }
}

/** Several queues between tenants as one: the next item is that of the tenant that has had the least. */
export class MergedQueues<A> {
  readonly #shares: Shares
  readonly #queues: ReadonlyArray<FairQueue<A>>

  constructor(shares: Shares, queues: ReadonlyArray<FairQueue<A>>) {
    this.#shares = shares
    this.#queues = queues
  }

  next(): TenantId | undefined {
    return this.#least()?.next()
  }

  take(): A | undefined {
    return this.#least()?.take()
  }

  #least(): FairQueue<A> | undefined {
    let least: FairQueue<A> | undefined
    let leastTime = Number.POSITIVE_INFINITY
    for (const queue of this.#queues) {
      const tenant = queue.next()
      const virtualTime = tenant === undefined ? Number.POSITIVE_INFINITY : this.#shares.virtualTime(tenant)
      if (virtualTime < leastTime) {
        least = queue
        leastTime = virtualTime
      }
    }
    return least
  }
}

type Takable<A> = Pick<FairQueue<A>, "next" | "take">

/** Takes from the queue that goes first, unless a tenant in the other queue has fallen far behind its share. */
export const takeFirst = <A>(shares: Shares, first: Takable<A>, others: Takable<A>): A | undefined => {
  const next = others.next()
  return next !== undefined && shares.isFarBehind(next) ? others.take() : (first.take() ?? others.take())
}
