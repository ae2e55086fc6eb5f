import { MinHeap } from "../../src/actors/scheduling/MinHeap.ts"
import { RangeSizer } from "../../src/actors/scheduling/RangeSizer.ts"
import type { TenantId } from "../../src/domain/Ids.ts"

/** A discrete-event model of workers that read documents in ranges, under a policy that says what is next. No real time passes. */
export class Job {
  readonly tenant: TenantId
  readonly pageMillis: number
  readonly arrivesAt: number
  readonly pages: number
  /** Pages that nobody has taken. */
  left: number
  /** Ranges being read. */
  reading = 0
  /** Ranges read since it was opened. */
  ranges = 0
  readonly sizer = new RangeSizer()

  constructor(tenant: TenantId, pages: number, pageMillis: number, arrivesAt: number) {
    this.tenant = tenant
    this.pages = pages
    this.pageMillis = pageMillis
    this.arrivesAt = arrivesAt
    this.left = pages
  }
}

/** Pages of one job for one worker. */
export interface Range {
  readonly job: Job
  readonly pages: number
  readonly estimatedMillis: number
}

export interface Policy {
  arrive(job: Job): void
  /** What a free worker reads next. */
  next(): Range | undefined
  /** A range was read. The job has ended when it has no pages left and no other range being read. */
  done(range: Range, millis: number): void
}

export const machine = { workers: 2, globalDocuments: 8, tenantDocuments: 2 } as const

export const hasEnded = (job: Job): boolean => job.left === 0 && job.reading === 0

/** The job's next range, sized as the engine sizes them. */
export const takeRange = (job: Job): Range => {
  const pages = job.sizer.size(job.left, machine.workers)
  job.left -= pages
  job.reading++
  return { job, pages, estimatedMillis: job.sizer.estimate(pages) }
}

export interface Outcome {
  /** From a job's arrival to its end, less the time its pages take. */
  readonly waits: ReadonlyMap<TenantId, ReadonlyArray<number>>
  /** Worker time by tenant up to the moment asked for. */
  readonly used: ReadonlyMap<TenantId, number>
  readonly makespan: number
}

type Happening = { readonly at: number; readonly order: number } & ({ readonly job: Job } | { readonly range: Range })

/** Runs all jobs to their ends. */
export const run = (policy: Policy, jobs: ReadonlyArray<Job>, countUntil: number): Outcome => {
  const events = new MinHeap<Happening>((a, b) => a.at - b.at || a.order - b.order)
  const waits = new Map<TenantId, Array<number>>()
  const used = new Map<TenantId, number>()
  let [order, free, now]: [number, number, number] = [0, machine.workers, 0]
  for (const job of jobs) events.push({ at: job.arrivesAt, order: order++, job })
  for (let event = events.pop(); event !== undefined; event = events.pop()) {
    now = event.at
    if ("job" in event) policy.arrive(event.job)
    else {
      const { job, pages } = event.range
      const millis = pages * job.pageMillis
      free++
      job.reading--
      job.ranges++
      job.sizer.observe(pages, millis)
      used.set(job.tenant, (used.get(job.tenant) ?? 0) + Math.max(0, Math.min(now, countUntil) - (now - millis)))
      policy.done(event.range, millis)
      if (hasEnded(job)) {
        const wait = now - job.arrivesAt - Math.ceil(job.pages / machine.workers) * job.pageMillis
        waits.set(job.tenant, [...(waits.get(job.tenant) ?? []), wait])
      }
    }
    // Everything of this moment is known before workers are given away.
    if (events.peek()?.at === now) continue
    while (free > 0) {
      const range = policy.next()
      if (range === undefined) break
      free--
      events.push({ at: now + range.pages * range.job.pageMillis, order: order++, range })
    }
  }
  return { waits, used, makespan: now }
}
