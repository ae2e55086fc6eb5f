import { FairQueue } from "../../src/actors/FairQueue.ts"
import { Shares } from "../../src/actors/FairShares.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { hasEnded, type Job, machine, type Policy, type Range, takeRange } from "./Model.ts"

/** As in the engine's global gate: how far ahead a tenant may be before its documents make room. */
const aheadOfNewcomer = 64
const aheadOfBusy = 250

/**
 * The engine's policy: its own shares, queues and range sizes. A document takes its tenant's permit, then the global one,
 * which goes to the tenant that has had least, and is given back at a range boundary when such a tenant waits. Each open
 * document has as many lanes as there are workers.
 */
export class FairPolicy implements Policy {
  readonly #shares = new Shares()
  readonly #turns = new FairQueue<Job>(this.#shares)
  readonly #permits = new FairQueue<Job>(this.#shares)
  readonly #backlogs = new Map<TenantId, Array<Job>>()
  readonly #holding = new Map<TenantId, number>()
  /** Jobs that hold a global permit, with the turns they wait for. */
  readonly #open = new Map<Job, Array<() => void>>()
  readonly #newcomers = new Set<Job>()
  readonly #wanted = new Set<Job>()

  arrive(job: Job): void {
    const backlog = this.#backlogs.get(job.tenant) ?? []
    this.#backlogs.set(job.tenant, backlog)
    backlog.push(job)
    this.#ask(job.tenant)
    this.#give()
  }

  next(): Range | undefined {
    for (let job = this.#turns.take(); job !== undefined; job = this.#turns.take()) {
      this.#open.get(job)?.shift()
      if (job.left === 0) continue
      const range = takeRange(job)
      this.#shares.charge(job.tenant, range.estimatedMillis)
      return range
    }
    return undefined
  }

  done({ estimatedMillis, job }: Range, millis: number): void {
    this.#shares.settle(job.tenant, estimatedMillis, millis)
    if (this.#open.has(job) && !this.#wanted.has(job) && job.left > 0) this.#lane(job)
    this.#close(job)
    this.#give()
  }

  #lane(job: Job): void {
    this.#open.get(job)?.push(this.#turns.add({ tenant: job.tenant, priority: 5 }, job))
  }

  /** The tenant's gate: its next documents go on to the global one. */
  #ask(tenant: TenantId): void {
    const backlog = this.#backlogs.get(tenant) ?? []
    let held = this.#holding.get(tenant) ?? 0
    for (; held < machine.tenantDocuments && backlog.length > 0; held++) {
      const job = backlog.shift()
      if (job === undefined) break
      if (this.#shares.virtualTime(tenant) <= this.#shares.floor) this.#newcomers.add(job)
      this.#permits.add({ tenant, priority: 5 }, job)
    }
    this.#holding.set(tenant, held)
  }

  #give(): void {
    while (this.#open.size < machine.globalDocuments) {
      const job = this.#permits.take()
      if (job === undefined) return
      this.#newcomers.delete(job)
      job.ranges = 0
      this.#open.set(job, [])
      for (let lane = Math.min(machine.workers, job.left); lane > 0; lane--) this.#lane(job)
    }
    const tenant = this.#permits.next()
    if (tenant === undefined || this.#wanted.size > 0) return
    const ahead = [...this.#newcomers].some((job) => job.tenant === tenant) ? aheadOfNewcomer : aheadOfBusy
    let victim: Job | undefined
    for (const job of this.#open.keys()) {
      if (job.ranges === 0 || job.tenant === tenant) continue
      if (this.#shares.virtualTime(job.tenant) <= this.#shares.virtualTime(tenant) + ahead) continue
      const better =
        victim === undefined ||
        job.reading < victim.reading ||
        (job.reading === victim.reading &&
          this.#shares.virtualTime(job.tenant) > this.#shares.virtualTime(victim.tenant))
      if (better) victim = job
    }
    if (victim === undefined) return
    this.#wanted.add(victim)
    for (const withdraw of this.#open.get(victim) ?? []) withdraw()
    this.#close(victim)
    this.#give()
  }

  /** Gives the permits back if the job has ended, or is wanted gone and reads nothing. */
  #close(job: Job): void {
    if (!this.#open.has(job) || job.reading > 0 || !(hasEnded(job) || this.#wanted.has(job))) return
    for (const withdraw of this.#open.get(job) ?? []) withdraw()
    this.#open.delete(job)
    this.#wanted.delete(job)
    this.#holding.set(job.tenant, (this.#holding.get(job.tenant) ?? 0) - 1)
    if (job.left > 0) this.#backlogs.get(job.tenant)?.unshift(job)
    this.#ask(job.tenant)
  }
}
