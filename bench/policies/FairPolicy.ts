import { FairQueue, takeFirst } from "../../src/actors/scheduling/FairQueue.ts"
import { Shares } from "../../src/actors/scheduling/FairShares.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { hasEnded, type Job, machine, type Policy, type Range, takeRange } from "./Model.ts"

/** A job that holds a global permit. */
interface Open {
  readonly isNewcomer: boolean
  wanted: boolean
  /** Withdraws the turns it waits for. */
  readonly lanes: Array<() => void>
}

/**
 * The engine's policy: its own shares, queues and range sizes. A document takes its tenant's permit, then the global one,
 * which goes to the tenant that has had least, and is given back at a range boundary when such a tenant waits. Who was idle
 * and is not far ahead of its share goes first, for a permit and for the first turn. Each open document has as many lanes
 * as there are workers.
 */
export class FairPolicy implements Policy {
  readonly #shares = new Shares()
  readonly #turns = { newcomers: new FairQueue<Job>(this.#shares), others: new FairQueue<Job>(this.#shares) }
  readonly #permits = { newcomers: new FairQueue<Job>(this.#shares), busy: new FairQueue<Job>(this.#shares) }
  /** Jobs that a permit was asked for; they are first. */
  readonly #promised: Array<Job> = []
  readonly #newcomers = new Set<Job>()
  readonly #backlogs = new Map<TenantId, Array<Job>>()
  readonly #holding = new Map<TenantId, number>()
  readonly #open = new Map<Job, Open>()

  arrive(job: Job): void {
    const backlog = this.#backlogs.get(job.tenant) ?? []
    const idle = backlog.length === 0 && (this.#holding.get(job.tenant) ?? 0) === 0
    this.#backlogs.set(job.tenant, backlog)
    this.#shares.opens(job.tenant, 1)
    backlog.push(job)
    this.#ask(job.tenant, idle)
    this.#give()
  }

  next(): Range | undefined {
    for (;;) {
      const job = takeFirst(this.#shares, this.#turns.newcomers, this.#turns.others)
      if (job === undefined) return undefined
      this.#open.get(job)?.lanes.shift()
      if (job.left === 0) continue
      const range = takeRange(job)
      this.#shares.charge(job.tenant, range.estimatedMillis)
      return range
    }
  }

  done({ estimatedMillis, job }: Range, millis: number): void {
    this.#shares.settle(job.tenant, estimatedMillis, millis)
    const open = this.#open.get(job)
    if (open !== undefined && !open.wanted && job.left > 0) this.#lane(job, open)
    this.#close(job)
    this.#give()
  }

  #lane(job: Job, { isNewcomer, lanes }: Open): void {
    const queue = isNewcomer && job.ranges === 0 ? this.#turns.newcomers : this.#turns.others
    lanes.push(queue.add({ tenant: job.tenant, priority: 5 }, job))
  }

  /** The tenant's gate: its next documents go on to the global one. */
  #ask(tenant: TenantId, idle: boolean): void {
    const backlog = this.#backlogs.get(tenant) ?? []
    let held = this.#holding.get(tenant) ?? 0
    for (; held < machine.tenantDocuments && backlog.length > 0; held++) {
      const job = backlog.shift()
      if (job === undefined) break
      const isNewcomer = idle && this.#shares.isWithinShare(tenant)
      if (isNewcomer) this.#newcomers.add(job)
      this.#permits[isNewcomer ? "newcomers" : "busy"].add({ tenant, priority: 5 }, job)
    }
    this.#holding.set(tenant, held)
  }

  #give(): void {
    while (this.#open.size < machine.globalDocuments) {
      const job = this.#promised.shift() ?? takeFirst(this.#shares, this.#permits.newcomers, this.#permits.busy)
      if (job === undefined) return
      const open: Open = { isNewcomer: this.#newcomers.delete(job), wanted: false, lanes: [] }
      job.ranges = 0
      this.#open.set(job, open)
      for (let lane = Math.min(machine.workers, job.left); lane > 0; lane--) this.#lane(job, open)
    }
    const reads = (job: Job) => Math.min(job.reading, 1)
    this.#askFor(
      this.#permits.newcomers,
      () => this.#shares.floor,
      (one, other) => (reads(one) === reads(other) ? this.#hasHadMore(one, other) : one.reading < other.reading)
    )
    this.#askFor(
      this.#permits.busy,
      (tenant) => this.#shares.farAheadOf(tenant),
      (one, other) => this.#hasHadMore(one, other)
    )
  }

  #hasHadMore(one: Job, other: Job): boolean {
    return this.#shares.virtualTime(one.tenant) > this.#shares.virtualTime(other.tenant)
  }

  /** Asks documents of tenants that have had more than the limit to make room for those that wait. */
  #askFor(queue: FairQueue<Job>, limit: (tenant: TenantId) => number, isBetter: (one: Job, other: Job) => boolean) {
    for (let tenant = queue.next(); tenant !== undefined; tenant = queue.next()) {
      let victim: Job | undefined
      for (const [job, { wanted }] of this.#open) {
        if (wanted || job.ranges === 0 || job.tenant === tenant) continue
        if (this.#shares.virtualTime(job.tenant) <= limit(tenant)) continue
        if (victim === undefined || isBetter(job, victim)) victim = job
      }
      const open = victim && this.#open.get(victim)
      const waiter = open && queue.take()
      if (victim === undefined || open === undefined || waiter === undefined) return
      this.#promised.push(waiter)
      open.wanted = true
      for (const withdraw of open.lanes) withdraw()
      this.#close(victim)
      if (this.#open.size < machine.globalDocuments) return this.#give()
    }
  }

  /** Gives the permits back if the job has ended, or is wanted gone and reads nothing. */
  #close(job: Job): void {
    const open = this.#open.get(job)
    if (open === undefined || job.reading > 0 || !(hasEnded(job) || open.wanted)) return
    for (const withdraw of open.lanes) withdraw()
    this.#open.delete(job)
    this.#holding.set(job.tenant, (this.#holding.get(job.tenant) ?? 0) - 1)
    if (job.left > 0) this.#backlogs.get(job.tenant)?.unshift(job)
    else this.#shares.opens(job.tenant, -1)
    this.#ask(job.tenant, false)
  }
}
