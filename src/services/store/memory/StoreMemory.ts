/**
 * The store in memory, for tests and simulations: the same answers as the durable one, and nothing survives it.
 * Each call is one step, so no two can interleave.
 */
import { Context, Effect, Layer } from "effect"
import { Artifacts } from "../Artifacts.ts"
import { BlobReferences } from "../BlobReferences.ts"
import { ChangeLog } from "../ChangeLog.ts"
import { DocumentQueue } from "../DocumentQueue.ts"
import { Documents } from "../Documents.ts"
import { IdempotencyStore } from "../IdempotencyStore.ts"
import { QueueStats } from "../QueueStats.ts"
import { artifactsMemory } from "./Artifacts.ts"
import { blobReferencesMemory } from "./BlobReferences.ts"
import { UsageStore } from "../../downstreams/UsageStore.ts"
import { usageMemory } from "../../downstreams/UsageStoreMemory.ts"
import { WebhookStore } from "../WebhookStore.ts"
import { changeLogMemory } from "./ChangeLog.ts"
import { documentQueueMemory } from "./DocumentQueue.ts"
import { documentsMemory } from "./Documents.ts"
import { idempotencyMemory } from "./Idempotency.ts"
import { queueStatsMemory } from "./QueueStats.ts"
import { Records } from "./Records.ts"
import { webhookStoreMemory } from "./WebhookStore.ts"

/** Every contract of the store, over the same records. */
export const layerMemory = Layer.effectContext(
  Effect.sync(() => {
    const records = new Records()
    const webhooks = webhookStoreMemory(records)
    return Context.make(DocumentQueue, documentQueueMemory(records, webhooks.owes)).pipe(
      Context.add(Documents, documentsMemory(records, webhooks.owes)),
      Context.add(ChangeLog, changeLogMemory(records)),
      Context.add(QueueStats, queueStatsMemory(records)),
      Context.add(Artifacts, artifactsMemory(records)),
      Context.add(BlobReferences, blobReferencesMemory(records)),
      Context.add(IdempotencyStore, idempotencyMemory()),
      Context.add(WebhookStore, webhooks.store),
      Context.add(UsageStore, usageMemory())
    )
  })
)
