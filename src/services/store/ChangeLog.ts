import type { Effect } from "effect"
import { Context } from "effect"
import type { Changes, DocumentChanges } from "../../domain/Change.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { DocumentNotFound, StoreUnavailable } from "./StoreErrors.ts"

/** The changes of all documents, in their order. */
export class ChangeLog extends Context.Service<
  ChangeLog,
  {
    /** The number of the last change of any document. Every later one has a higher number. */
    readonly last: Effect.Effect<number, StoreUnavailable>
    /**
     * Changes after that number: of one tenant, or of all when none is named. A document that changed several times comes once.
     * `limit` bounds the changes that are read, including other tenants' pages, so that one call takes little time: the answer
     * may have fewer changes, or none. Its documents are up to `portionBytes` in all, or one.
     */
    readonly changes: (options: {
      readonly after: number
      readonly limit: number
      readonly tenant?: TenantId | undefined
    }) => Effect.Effect<Changes, StoreUnavailable>
    /** The document as it is now, and those of its pages that got their results after that number. */
    readonly changesOf: (
      tenant: TenantId,
      id: DocumentId,
      options: { readonly after: number; readonly limit: number }
    ) => Effect.Effect<DocumentChanges, DocumentNotFound | StoreUnavailable>
  }
>()("sluice/services/store/ChangeLog") {}
