import { FairQueue } from "../../src/actors/scheduling/FairQueue.ts"
import { Shares } from "../../src/actors/scheduling/FairShares.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { hasEnded, type Job, machine, type Policy, type Range, takeRange } from "./Model.ts"

/** One queue for everyone: documents are opened, and their pages read, in the order of arrival. */
export class Fifo implements Policy {
  readonly #waiting: Array<Job> = []
  #first = 0

  arrive(job: Job): void {
    this.#waiting.push(job)
  }

  next(): Range | undefined {
    while (this.#waiting[this.#first]?.left === 0) this.#first++
    const job = this.#waiting[this.#first]
    return job && takeRange(job)
  }

  done(): void {}
}

/**
 * The usual round robin: the next document to be opened is one of the next tenant in turn, and open documents are read range
 * by range in turn. Tenants' and global limits hold; documents count, whatever they cost.
 */
export class RoundRobin implements Policy {
  readonly #backlogs = new Map<TenantId, Array<Job>>()
  readonly #holding = new Map<TenantId, number>()
  readonly #open: Array<Job> = []

  arrive(job: Job): void {
    const backlog = this.#backlogs.get(job.tenant)
    if (backlog === undefined) this.#backlogs.set(job.tenant, [job])
    else backlog.push(job)
    this.#fill()
  }

  next(): Range | undefined {
    const index = this.#open.findIndex(({ left }) => left > 0)
    const [job] = index < 0 ? [] : this.#open.splice(index, 1)
    if (job === undefined) return undefined
    this.#open.push(job)
    return takeRange(job)
  }

  done({ job }: Range): void {
    if (!hasEnded(job)) return
    this.#open.splice(this.#open.indexOf(job), 1)
    this.#holding.set(job.tenant, (this.#holding.get(job.tenant) ?? 0) - 1)
    this.#fill()
  }

  #fill(): void {
    for (let tries = this.#backlogs.size; tries > 0 && this.#open.length < machine.globalDocuments; tries--) {
      const [tenant, backlog] = this.#backlogs.entries().next().value ?? []
      if (tenant === undefined || backlog === undefined) return
      this.#backlogs.delete(tenant)
      const held = this.#holding.get(tenant) ?? 0
      const job = held < machine.tenantDocuments ? backlog.shift() : undefined
      // To the end of the line of tenants.
      if (backlog.length > 0) this.#backlogs.set(tenant, backlog)
      if (job === undefined) continue
      this.#holding.set(tenant, held + 1)
      this.#open.push(job)
      tries = this.#backlogs.size + 1
    }
  }
}

/**
 * The gates in the wrong order: a document takes the global permit when it comes to the front of the one queue, and waits
 * for its tenant's permit while it holds it. Workers' time is shared as fairly as in the engine, among those who are open.
 */
export class GlobalGateFirst implements Policy {
  readonly #shares = new Shares()
  readonly #turns = new FairQueue<Job>(this.#shares)
  readonly #waiting: Array<Job> = []
  readonly #blocked = new Map<TenantId, Array<Job>>()
  readonly #holding = new Map<TenantId, number>()
  #first = 0
  #permits: number = machine.globalDocuments

  arrive(job: Job): void {
    this.#waiting.push(job)
    this.#fill()
  }

  next(): Range | undefined {
    for (let job = this.#turns.take(); job !== undefined; job = this.#turns.take()) {
      if (job.left === 0) continue
      const range = takeRange(job)
      this.#shares.charge(job.tenant, range.estimatedMillis)
      return range
    }
    return undefined
  }

  done({ estimatedMillis, job }: Range, millis: number): void {
    this.#shares.settle(job.tenant, estimatedMillis, millis)
    if (job.left > 0) this.#lane(job)
    if (!hasEnded(job)) return
    this.#permits++
    const heir = this.#blocked.get(job.tenant)?.shift()
    if (heir === undefined) this.#holding.set(job.tenant, (this.#holding.get(job.tenant) ?? 0) - 1)
    else this.#begin(heir)
    this.#fill()
  }

  #lane(job: Job): void {
    this.#turns.add({ tenant: job.tenant, priority: 5 }, job)
  }

  #begin(job: Job): void {
    for (let lane = Math.min(machine.workers, job.left); lane > 0; lane--) this.#lane(job)
  }

  #fill(): void {
    for (; this.#permits > 0; this.#permits--) {
      const job = this.#waiting[this.#first]
      if (job === undefined) return
      this.#first++
      const held = this.#holding.get(job.tenant) ?? 0
      if (held < machine.tenantDocuments) {
        this.#holding.set(job.tenant, held + 1)
        this.#begin(job)
      } else {
        const blocked = this.#blocked.get(job.tenant) ?? []
        this.#blocked.set(job.tenant, blocked)
        blocked.push(job)
      }
    }
  }
}
