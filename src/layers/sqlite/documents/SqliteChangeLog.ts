/** `ChangeLog` in SQLite. */
import { Effect } from "effect"
import { ChangeLog, numberedCursors } from "../../../services/store/ChangeLog.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import type { Read } from "../database/Read.ts"
import { changes, changesOf, lastChange } from "./changes.ts"

export const changeLog = (read: Read) =>
  ChangeLog.of({
    ...numberedCursors(read("find the last change", lastChange)),
    changes: (options) => read("find changes", (db) => changes(db, options)),
    changesOf: Effect.fnUntraced(function* (tenant, id, options) {
      const found = yield* read("find a document's changes", (db) => changesOf(db, tenant, id, options))
      return found ?? (yield* new DocumentNotFound({ documentId: id }))
    })
  })
