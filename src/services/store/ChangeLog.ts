import { Brand, Context, Effect, Option, Order } from "effect"
import type { ChangeCursor, Changes, DocumentChanges } from "../../domain/Change.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { DocumentNotFound, StoreUnavailable } from "./StoreErrors.ts"

/**
 * The changes of all documents, in one order that never changes. Each change has a cursor: its place in that order.
 *
 * A cursor that the log has handed out skips nothing: every change that is committed later comes after it, even if the changes
 * of several writers are committed in another order than they were made in. Only the log makes and compares cursors.
 */
export class ChangeLog extends Context.Service<
  ChangeLog,
  {
    /** Before every change that has a cursor. */
    readonly beginning: ChangeCursor
    readonly order: Order.Order<ChangeCursor>
    /** What a client keeps of a cursor, to go on from it later: a natural number. */
    readonly idOf: (cursor: ChangeCursor) => number
    /** The cursor that a client has kept, also of an earlier run. None: the log has not handed out any with this id. */
    readonly resume: (id: number) => Effect.Effect<Option.Option<ChangeCursor>, StoreUnavailable>
    /** After the last change of any document, and before every later one. */
    readonly last: Effect.Effect<ChangeCursor, StoreUnavailable>
    /**
     * Changes after that cursor: of one tenant, or of all when none is named. A document that changed several times comes once.
     * `limit` bounds the changes that are read, including other tenants' pages, so that one call takes little time: the answer
     * may have fewer changes, or none. Its documents are up to `portionBytes` in all, or one.
     */
    readonly changes: (options: {
      readonly after: ChangeCursor
      readonly limit: number
      readonly tenant?: TenantId | undefined
    }) => Effect.Effect<Changes, StoreUnavailable>
    /** The document as it is now, and those of its pages that got their results after that cursor; all when none is given. */
    readonly changesOf: (
      tenant: TenantId,
      id: DocumentId,
      options: { readonly after: ChangeCursor | undefined; readonly limit: number }
    ) => Effect.Effect<DocumentChanges, DocumentNotFound | StoreUnavailable>
  }
>()("sluice/services/store/ChangeLog") {}

/** For implementations of the log only. */
export const cursorAt = Brand.nominal<ChangeCursor>()

/** The cursors of a log that commits its changes in the order of their numbers. `last` is the number of the last one. */
export const numberedCursors = (
  last: Effect.Effect<number, StoreUnavailable>
): Pick<ChangeLog["Service"], "beginning" | "order" | "idOf" | "resume" | "last"> => ({
  beginning: cursorAt(0),
  order: Order.Number,
  idOf: (cursor) => cursor,
  resume: (id) => Effect.map(last, (number) => (id <= number ? Option.some(cursorAt(id)) : Option.none())),
  last: Effect.map(last, (number) => cursorAt(number))
})
