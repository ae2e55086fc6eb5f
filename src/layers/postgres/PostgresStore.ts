/**
 * The store in Postgres, for one process or several: durable when a write succeeds. One layer provides all of its contracts. A
 * process that died is noticed by its leases, which run out by the clock of the database.
 */
import { Context, Effect, Layer } from "effect"
import { Artifacts } from "../../services/store/Artifacts.ts"
import { BlobReferences } from "../../services/store/BlobReferences.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Documents } from "../../services/store/Documents.ts"
import { IdempotencyStore } from "../../services/store/IdempotencyStore.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { UsageStore } from "../../services/downstreams/UsageStore.ts"
import { usageStore } from "./usage/PostgresUsage.ts"
import { WebhookStore } from "../../services/store/WebhookStore.ts"
import { PostgresDatabase } from "./database/PostgresDatabase.ts"
import { artifacts } from "./documents/PostgresArtifacts.ts"
import { blobReferences } from "./documents/PostgresBlobReferences.ts"
import { changeLog } from "./documents/PostgresChangeLog.ts"
import { documentQueue } from "./documents/PostgresDocumentQueue.ts"
import { documents } from "./documents/PostgresDocuments.ts"
import { idempotency } from "./documents/PostgresIdempotency.ts"
import { queueStats } from "./documents/PostgresQueueStats.ts"
import { webhookStore } from "./webhooks/PostgresWebhookStore.ts"

/** On a database whose tables are up to date. */
export const layerNoDeps = Layer.effectContext(
  Effect.map(PostgresDatabase, (database) =>
    Context.make(DocumentQueue, documentQueue(database)).pipe(
      Context.add(Documents, documents(database)),
      Context.add(ChangeLog, changeLog(database)),
      Context.add(QueueStats, queueStats(database)),
      Context.add(Artifacts, artifacts(database)),
      Context.add(BlobReferences, blobReferences(database)),
      Context.add(IdempotencyStore, idempotency(database)),
      Context.add(WebhookStore, webhookStore(database)),
      Context.add(UsageStore, usageStore(database))
    )
  )
)
