/** `Documents` in SQLite. */
import { Effect } from "effect"
import { Documents } from "../../../services/store/Documents.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
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
    cancel: Effect.fn("Documents.cancel")((tenant, id, at) => write("cancel a document", queue.cancel(tenant, id, at))),
    remove: Effect.fn("Documents.remove")((tenant, id) => write("remove a document", queue.remove(tenant, id))),
    withdraw: Effect.fn("Documents.withdraw")((tenant, id, shares) =>
      write("withdraw a document", lifecycle.withdraw(tenant, id, shares))
    ),
    removeEnded: Effect.fn("Documents.removeEnded")((finishedBefore, limit) =>
      write("remove ended documents", lifecycle.removeEnded(finishedBefore, limit))
    ),
    retry: Effect.fn("Documents.retry")((tenant, id, retry, limits) =>
      write("retry a document", lifecycle.retry(tenant, id, retry, limits))
    )
  })
