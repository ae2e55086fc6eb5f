/**
 * Preemption: how a tenant that has had less gets the global permit that another tenant's open document holds.
 *
 * 1. A tenant waits for a permit and none is free. `Preemption.requestFor` chooses a victim and requests its permit; the
 *    waiter is promised the next permit that is released.
 * 2. The victim's document learns of the request when it next asks for a turn of a worker: a turn that is not begun is
 *    refused (`PageScheduler`), and a page in doubt is not read (`SuspectPages`). A range that is being read is read to its end.
 * 3. The run fails with `Preempted`. Its document goes back to the head of its tenant's queue with its finished pages, its
 *    permit is released, and the promised waiter gets it.
 *
 * Invariant: a permit is requested only after its document made progress (a range that brought pages, or a verdict on a page
 * in doubt). So every run makes progress, and two documents never change places without any.
 */
import { Data } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { FairQueue } from "../scheduling/FairQueue.ts"
import type { Shares } from "../scheduling/FairShares.ts"

/** The document's permit is requested for a tenant that has had less: it goes back to its queue with its finished pages. */
export class Preempted extends Data.TaggedError("Preempted")<{}> {}

/** A permit of the global gate, while a document holds it. */
export class GlobalPermit {
  readonly tenant: TenantId
  /** Its tenant was idle: the first turn under it goes before those of others. */
  readonly isNewcomer: boolean
  /** When it was requested and when it was given, in milliseconds since the epoch. */
  readonly askedAt: number
  readonly givenAt: number
  readonly #onVerdict: () => void
  readonly #listeners = new Set<() => void>()
  #turns = 0
  #hasProgress = false
  #isRequested = false
  #needsSaves = false
  #isIdle = false
  #release = () => {}

  constructor(
    given: Pick<GlobalPermit, "tenant" | "isNewcomer" | "askedAt" | "givenAt">,
    onVerdict: () => void = () => {}
  ) {
    this.tenant = given.tenant
    this.isNewcomer = given.isNewcomer
    this.askedAt = given.askedAt
    this.givenAt = given.givenAt
    this.#onVerdict = onVerdict
  }

  /** The document has a turn of a worker. */
  get isReading(): boolean {
    return this.#turns > 0
  }

  get isRequested(): boolean {
    return this.#isRequested
  }

  get mayBeRequested(): boolean {
    return this.#hasProgress && !this.#isRequested
  }

  turnGiven(): void {
    this.#turns++
  }

  turnEnded(): void {
    this.#turns--
  }

  /** A range brought pages. The gate searches for victims when the turn ends, which comes after this. */
  rangeRead(): void {
    if (!this.#needsSaves) this.#hasProgress = true
  }

  /** Pages got their results and no end of a turn follows, so the gate searches for victims now. */
  verdictReached(): void {
    if (this.#needsSaves) return
    this.#hasProgress = true
    this.#onVerdict()
  }

  /** From now on only what was saved counts as progress: pages that were read are still to go through stages. */
  countsSaves(): void {
    this.#needsSaves = true
  }

  /** Something of the document became durable. */
  saved(): void {
    if (this.#hasProgress) return
    this.#hasProgress = true
    this.#onVerdict()
  }

  /** The document only waits for its stages. Any tenant that waits may have its permit. */
  idles(isIdle: boolean): void {
    this.#isIdle = isIdle
    if (isIdle) this.#onVerdict()
  }

  get isIdle(): boolean {
    return this.#isIdle
  }

  /** For the gate: how the permit is given back before the end of the run. */
  releasedBy(release: () => void): void {
    this.#release = release
  }

  /** The document needs no worker any more: its permit goes to another one, although its run goes on. */
  leave(): void {
    this.#release()
  }

  request(): void {
    this.#isRequested = true
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }

  /** Calls the listener when the permit is requested; the result removes it. */
  onRequest(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

type Order = (one: GlobalPermit, other: GlobalPermit) => boolean

/** Chooses which open document is preempted, by what each tenant has had of the workers' time. */
export class Preemption {
  readonly #shares: Shares
  readonly #held = new Set<GlobalPermit>()

  constructor(shares: Shares) {
    this.#shares = shares
  }

  given(permit: GlobalPermit): void {
    this.#held.add(permit)
  }

  released(permit: GlobalPermit): void {
    this.#held.delete(permit)
  }

  /**
   * Takes waiters from their queues and requests a permit for each, while there is a victim. For a newcomer, the victim belongs
   * to any tenant that is ahead of the least served one, and is the one soonest at the end of its range. For a busy tenant, it
   * belongs to a tenant that is far ahead of the waiting one, or the two would only change places.
   *
   * `promise` is called before the request is made: a document that waits for a turn may release its permit within the request.
   */
  requestFor<A>(newcomers: FairQueue<A>, busy: FairQueue<A>, promise: (waiter: A) => void): void {
    this.#requestFor(newcomers, () => this.#shares.floor, this.#isSooner, promise)
    this.#requestFor(busy, (tenant) => this.#shares.farAheadOf(tenant), this.#isMoreServed, promise)
  }

  #requestFor<A>(
    queue: FairQueue<A>,
    limitFor: (tenant: TenantId) => number,
    isBetter: Order,
    promise: (waiter: A) => void
  ): void {
    for (let tenant = queue.next(); tenant !== undefined; tenant = queue.next()) {
      const victim = this.#victimFor(tenant, limitFor(tenant), isBetter)
      const waiter = victim && queue.take()
      if (victim === undefined || waiter === undefined) return
      promise(waiter)
      victim.request()
    }
  }

  /** The best permit of another tenant whose virtual time is above the limit. */
  #victimFor(tenant: TenantId, limit: number, isBetter: Order): GlobalPermit | undefined {
    let victim: GlobalPermit | undefined
    for (const permit of this.#held) {
      if (!permit.mayBeRequested || permit.tenant === tenant) continue
      if (!permit.isIdle && this.#shares.virtualTime(permit.tenant) <= limit) continue
      if (victim === undefined || isBetter(permit, victim)) victim = permit
    }
    return victim
  }

  readonly #isMoreServed: Order = (one, other) =>
    this.#shares.virtualTime(one.tenant) > this.#shares.virtualTime(other.tenant)

  /** A document that waits for a turn returns its permit at once; one that is reading, at the end of its range. */
  readonly #isSooner: Order = (one, other) =>
    one.isReading === other.isReading ? this.#isMoreServed(one, other) : !one.isReading
}
