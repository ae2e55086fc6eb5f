/** `DocumentQueue` in SQLite. */
import { type Context, Effect } from "effect"
import { DocumentQueue } from "../../../services/store/DocumentQueue.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import * as lifecycle from "./lifecycle.ts"
import * as queue from "./queue.ts"
import * as records from "./records.ts"

type Queue = Context.Service.Shape<typeof DocumentQueue>

const accepting = (write: Write): Pick<Queue, "accept"> => ({
  accept: TraceContext.traced("DocumentQueue.accept", (document, limits, committed) =>
    write("accept a document", queue.accept(document, limits), "durable", 1, committed)
  )
})

/**
 * Claims and the findings of opened files are not flushed: only a crash of the machine loses them, which also ends the run, and
 * the next run finds them again.
 */
const running = (
  write: Write
): Pick<
  Queue,
  "claim" | "renew" | "fetched" | "opened" | "savePages" | "recordFault" | "finish" | "finishWhole" | "release"
> => ({
  claim: TraceContext.traced("DocumentQueue.claim", (tenant, lease) =>
    write("claim a document", queue.claim(tenant, lease), "unflushed")
  ),
  renew: Effect.fn("DocumentQueue.renew")((lease) => write("renew leases", queue.renew(lease), "unflushed")),
  fetched: TraceContext.traced("DocumentQueue.fetched", (fence, blob) =>
    write("record a blob", queue.fetched(fence, blob), "unflushed")
  ),
  opened: TraceContext.traced("DocumentQueue.opened", (fence, pdf) =>
    write("record an opened file", queue.opened(fence, pdf), "unflushed")
  ),
  // Without a span: there are nearly as many as pages.
  savePages: (fence, pages) => write("save pages", queue.savePages(fence, pages), "patient", pages.length),
  recordFault: Effect.fn("DocumentQueue.recordFault")((fence, page, fault) =>
    write("record a page's fault", queue.recordFault(fence, page, fault), "unflushed")
  ),
  finish: TraceContext.traced("DocumentQueue.finish", (fence, outcome, at) =>
    write("finish a document", queue.finish(fence, outcome, at))
  ),
  finishWhole: TraceContext.traced("DocumentQueue.finishWhole", (fence, whole, outcome, at) =>
    write("finish a document", queue.finishWhole(fence, whole, outcome, at))
  ),
  release: Effect.fn("DocumentQueue.release")((fence) => write("release a document", queue.release(fence), "unflushed"))
})

const upkeep = (write: Write): Pick<Queue, "reclaimExpired" | "queueDue" | "expireQueued" | "setPaused"> => ({
  reclaimExpired: Effect.fn("DocumentQueue.reclaimExpired")((now) =>
    write("reclaim expired leases", queue.reclaimExpired(now), "unflushed")
  ),
  queueDue: Effect.fn("DocumentQueue.queueDue")((now) =>
    write("queue due documents", queue.queueDue(now), "unflushed")
  ),
  expireQueued: Effect.fn("DocumentQueue.expireQueued")((queuedBefore, at, limit) =>
    write("expire queued documents", lifecycle.expireQueued(queuedBefore, at, limit))
  ),
  setPaused: Effect.fn("DocumentQueue.setPaused")((tenant, paused) =>
    write("pause or resume a tenant", lifecycle.setPaused(tenant, paused))
  )
})

const looking = (read: Read): Pick<Queue, "hasQueued" | "tenantsWithQueued" | "isPaused"> => ({
  hasQueued: TraceContext.traced("DocumentQueue.hasQueued", (tenant) =>
    read("see whether a tenant has work", (db) => records.hasQueued(db, tenant))
  ),
  tenantsWithQueued: read("find tenants with work", records.tenantsWithQueued),
  isPaused: Effect.fn("DocumentQueue.isPaused")((tenant) =>
    read("see whether a tenant is paused", (db) => records.isPaused(db, tenant))
  )
})

export const documentQueue = (read: Read, write: Write) =>
  DocumentQueue.of({ ...accepting(write), ...running(write), ...upkeep(write), ...looking(read) })
