/** `DocumentQueue` in SQLite. */
import { type Context, Duration, Effect } from "effect"
import type { LeaseRequest } from "../../../services/store/Claim.ts"
import { DocumentQueue } from "../../../services/store/DocumentQueue.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import { accept } from "./accept.ts"
import { atNow } from "../database/atNow.ts"
import * as lifecycle from "./lifecycle.ts"
import * as queue from "./queue.ts"
import * as records from "./records.ts"

const leaseFrom = ({ lease, runner }: LeaseRequest, now: number): queue.Lease => ({
  runner,
  until: now + Duration.toMillis(lease)
})

type Queue = Context.Service.Shape<typeof DocumentQueue>

const accepting = (write: Write): Pick<Queue, "accept"> => ({
  accept: TraceContext.traced("DocumentQueue.accept", (document, limits) =>
    atNow((now) => write("accept a document", accept(document, limits, now)))
  )
})

/**
 * Claims and the findings of opened files are deferred: only a crash of the machine loses them, which also ends the run, and
 * the next run finds them again.
 */
const running = (
  write: Write
): Pick<
  Queue,
  | "claim"
  | "renew"
  | "fetched"
  | "opened"
  | "savePages"
  | "saveArtifacts"
  | "recordFault"
  | "finish"
  | "finishWhole"
  | "release"
> => ({
  claim: TraceContext.traced("DocumentQueue.claim", (tenant, request, most) =>
    atNow((now) => write("claim a document", queue.claim(tenant, leaseFrom(request, now), now, most), "deferred"))
  ),
  renew: Effect.fn("DocumentQueue.renew")((request) =>
    atNow((now) => write("renew leases", queue.renew(leaseFrom(request, now)), "deferred"))
  ),
  fetched: TraceContext.traced("DocumentQueue.fetched", (fence, blob, reference) =>
    atNow((now) => write("record a blob", queue.fetched(fence, blob, reference, now), "deferred"))
  ),
  opened: TraceContext.traced("DocumentQueue.opened", (fence, pdf) =>
    write("record an opened file", queue.opened(fence, pdf), "deferred")
  ),
  // Without a span: there are nearly as many as pages.
  savePages: (fence, pages) => write("save pages", queue.savePages(fence, pages), "batched", pages.length),
  saveArtifacts: Effect.fn("DocumentQueue.saveArtifacts")((fence, artifacts, pages = []) =>
    atNow((now) =>
      write("save artifacts", queue.saveArtifacts(fence, artifacts, pages, now), "batched", artifacts.length)
    )
  ),
  recordFault: Effect.fn("DocumentQueue.recordFault")((fence, page, fault) =>
    write("record a page's fault", queue.recordFault(fence, page, fault), "deferred")
  ),
  finish: TraceContext.traced("DocumentQueue.finish", (fence, outcome) =>
    atNow((now) => write("finish a document", queue.finish(fence, outcome, now)))
  ),
  finishWhole: TraceContext.traced("DocumentQueue.finishWhole", (fence, whole, outcome) =>
    atNow((now) => write("finish a document", queue.finishWhole(fence, whole, outcome, now)))
  ),
  release: Effect.fn("DocumentQueue.release")((fence) => write("release a document", queue.release(fence), "deferred"))
})

const upkeep = (
  write: Write
): Pick<Queue, "reclaimExpired" | "reclaimAll" | "queueDue" | "expireQueued" | "setPaused"> => ({
  reclaimExpired: Effect.withSpan("DocumentQueue.reclaimExpired")(
    atNow((now) => write("reclaim expired leases", queue.reclaimExpired(now), "deferred"))
  ),
  reclaimAll: Effect.fn("DocumentQueue.reclaimAll")((tenant) =>
    write("reclaim a tenant's documents", queue.reclaimAll(tenant), "deferred")
  ),
  queueDue: Effect.withSpan("DocumentQueue.queueDue")(
    atNow((now) => write("queue due documents", queue.queueDue(now), "deferred"))
  ),
  expireQueued: Effect.fn("DocumentQueue.expireQueued")((waitedLongerThan, limit) =>
    atNow((now) =>
      write("expire queued documents", lifecycle.expireQueued(now - Duration.toMillis(waitedLongerThan), now, limit))
    )
  ),
  setPaused: Effect.fn("DocumentQueue.setPaused")((tenant, paused) =>
    write("pause or resume a tenant", lifecycle.setPaused(tenant, paused))
  )
})

const looking = (read: Read): Pick<Queue, "hasQueued" | "tenantsWithQueued" | "tenantsWithRunning" | "isPaused"> => ({
  hasQueued: TraceContext.traced("DocumentQueue.hasQueued", (tenant, most) =>
    read("see whether a tenant has work", (db) => records.hasQueued(db, tenant, most))
  ),
  tenantsWithRunning: read("find tenants whose documents run", records.tenantsWithRunning),
  tenantsWithQueued: read("find tenants with work", records.tenantsWithQueued),
  isPaused: Effect.fn("DocumentQueue.isPaused")((tenant) =>
    read("see whether a tenant is paused", (db) => records.isPaused(db, tenant))
  )
})

export const documentQueue = (read: Read, write: Write) =>
  DocumentQueue.of({ ...accepting(write), ...running(write), ...upkeep(write), ...looking(read) })
