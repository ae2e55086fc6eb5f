/**
 * The store in memory, for tests and simulations: the same answers as the durable one, and nothing survives it.
 * Each call is one step, so no two can interleave.
 */
import { Context, Effect, Layer } from "effect"
import { ChangeLog } from "../ChangeLog.ts"
import { DocumentQueue } from "../DocumentQueue.ts"
import { Documents } from "../Documents.ts"
import { DocumentStore } from "../DocumentStore.ts"
import { QueueStats } from "../QueueStats.ts"
import { answersMemory } from "./Answers.ts"
import { changeLogMemory } from "./ChangeLog.ts"
import { documentQueueMemory } from "./DocumentQueue.ts"
import { documentsMemory } from "./Documents.ts"
import { queueStatsMemory } from "./QueueStats.ts"
import { Records } from "./Records.ts"
import { refersTo } from "./Steps.ts"
import { webhooksMemory } from "./Webhooks.ts"

/** Every contract of the store, over the same records. */
export const layerMemory = Layer.effectContext(
  Effect.sync(() => {
    const records = new Records()
    const webhooks = webhooksMemory(records)
    return Context.make(DocumentQueue, documentQueueMemory(records, webhooks.owes)).pipe(
      Context.add(Documents, documentsMemory(records, webhooks.owes)),
      Context.add(ChangeLog, changeLogMemory(records)),
      Context.add(QueueStats, queueStatsMemory(records)),
      Context.add(
        DocumentStore,
        DocumentStore.of({
          ...answersMemory(),
          ...webhooks.records,
          refersTo: Effect.fn("DocumentStore.refersTo")((hash, tenant) =>
            Effect.sync(() => refersTo(records, hash, tenant))
          )
        })
      )
    )
  })
)
