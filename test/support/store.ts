// The whole store as one value: one object that is all of its contracts, for tests that replace some methods.
import { Context, Effect } from "effect"
import type { Artifacts } from "../../src/services/store/Artifacts.ts"
import type { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { ChangeLog } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import type { IdempotencyStore } from "../../src/services/store/IdempotencyStore.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import { WebhookStore } from "../../src/services/store/WebhookStore.ts"

/** The contracts that one value is. */
export type Whole = DocumentQueue | Documents | ChangeLog | QueueStats | WebhookStore

/** The contracts of the store. */
export type Stores = Whole | Artifacts | BlobReferences | IdempotencyStore

export type Store = DocumentQueue["Service"] &
  Documents["Service"] &
  ChangeLog["Service"] &
  QueueStats["Service"] &
  WebhookStore["Service"]

export const storeOf = (context: Context.Context<Whole>): Store => ({
  ...Context.get(context, DocumentQueue),
  ...Context.get(context, Documents),
  ...Context.get(context, ChangeLog),
  ...Context.get(context, QueueStats),
  ...Context.get(context, WebhookStore)
})

export const wholeStore: Effect.Effect<Store, never, Whole> = Effect.map(Effect.context<Whole>(), storeOf)

export const storeContext = (store: Store): Context.Context<Whole> =>
  Context.make(DocumentQueue, store).pipe(
    Context.add(Documents, store),
    Context.add(ChangeLog, store),
    Context.add(QueueStats, store),
    Context.add(WebhookStore, store)
  )
