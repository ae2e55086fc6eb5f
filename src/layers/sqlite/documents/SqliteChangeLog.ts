/** `ChangeLog` in SQLite. */
import { Effect } from "effect"
import { ChangeLog } from "../../../services/store/ChangeLog.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import type { Read } from "../database/Read.ts"
import { changes, changesOf, type Numbers } from "./changes.ts"

export const changeLog = (read: Read, numbers: Numbers) =>
  ChangeLog.of({
    last: Effect.sync(numbers.last),
    changes: (options) => read("find changes", (db) => changes(db, numbers.last(), options)),
    changesOf: Effect.fnUntraced(function* (tenant, id, options) {
      const found = yield* read("find a document's changes", (db) => changesOf(db, numbers.last(), tenant, id, options))
      return found ?? (yield* new DocumentNotFound({ documentId: id }))
    })
  })
