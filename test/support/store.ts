// The whole store as one value: one object that is all of its contracts, for tests that replace some methods.
import { Context, Effect } from "effect"
import { ChangeLog } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import { DocumentStore } from "../../src/services/store/DocumentStore.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"

/** The contracts of the store. */
export type Stores = DocumentQueue | Documents | ChangeLog | QueueStats | DocumentStore

export type Store = DocumentQueue["Service"] &
  Documents["Service"] &
  ChangeLog["Service"] &
  QueueStats["Service"] &
  DocumentStore["Service"]

export const storeOf = (context: Context.Context<Stores>): Store => ({
  ...Context.get(context, DocumentQueue),
  ...Context.get(context, Documents),
  ...Context.get(context, ChangeLog),
  ...Context.get(context, QueueStats),
  ...Context.get(context, DocumentStore)
})

export const wholeStore: Effect.Effect<Store, never, Stores> = Effect.map(Effect.context<Stores>(), storeOf)

export const storeContext = (store: Store): Context.Context<Stores> =>
  Context.make(DocumentQueue, store).pipe(
    Context.add(Documents, store),
    Context.add(ChangeLog, store),
    Context.add(QueueStats, store),
    Context.add(DocumentStore, store)
  )
