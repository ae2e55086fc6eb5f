/** `Documents` in SQLite. */
import { Duration, Effect } from "effect"
import { Documents } from "../../../services/store/Documents.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import { atNow } from "../database/atNow.ts"
import * as lifecycle from "./lifecycle.ts"
import * as queue from "./queue.ts"
import * as records from "./records.ts"

export const documents = (read: Read, write: Write) =>
  Documents.of({
    find: Effect.fn("Documents.find")(function* (tenant, id, detail) {
      const document = yield* read("find a document", (db) => records.findById(db, tenant, id, detail))
      return document ?? (yield* new DocumentNotFound({ documentId: id }))
    }),
    list: Effect.fn("Documents.list")((tenant, options) =>
      read("list documents", (db) => records.list(db, tenant, options))
    ),
    pages: TraceContext.traced("Documents.pages", (tenant, id, options) =>
      read("read pages", (db) => records.pages(db, tenant, id, options))
    ),
    cancel: Effect.fn("Documents.cancel")((tenant, id) =>
      atNow((now) => write("cancel a document", queue.cancel(tenant, id, now)))
    ),
    remove: Effect.fn("Documents.remove")((tenant, id) =>
      atNow((now) => write("remove a document", queue.remove(tenant, id, now)))
    ),
    withdraw: Effect.fn("Documents.withdraw")((tenant, id, shares) =>
      atNow((now) => write("withdraw a document", lifecycle.withdraw(tenant, id, shares, now)))
    ),
    removeEnded: Effect.fn("Documents.removeEnded")((endedLongerAgo, limit) =>
      atNow((now) =>
        write("remove ended documents", lifecycle.removeEnded(now - Duration.toMillis(endedLongerAgo), limit, now))
      )
    ),
    rerun: Effect.fn("Documents.rerun")((tenant, id, rerun, retry, limits) =>
      atNow((now) => write("run a stage again", lifecycle.rerun(tenant, id, rerun, retry, limits, now)))
    ),
    retry: Effect.fn("Documents.retry")((tenant, id, retry, limits) =>
      atNow((now) => write("retry a document", lifecycle.retry(tenant, id, retry, limits, now)))
    )
  })
