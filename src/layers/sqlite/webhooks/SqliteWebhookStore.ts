/** `WebhookStore` in SQLite, over the connection and the commits of the whole store. */
import { Effect, Option } from "effect"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { atNow } from "../database/atNow.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import { WebhookStore } from "../../../services/store/WebhookStore.ts"
import type { Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import * as callbacks from "./callbacks.ts"
import * as deliveries from "./deliveries.ts"
import * as endpoints from "./endpoints.ts"

const nothing = Effect.succeed([])

export const webhookStore = (read: Read, write: Write) =>
  WebhookStore.of({
    findWebhook: Effect.fn("WebhookStore.findWebhook")((tenant) =>
      Effect.map(
        read("find a webhook", (db) => endpoints.find(db, tenant)),
        Option.fromUndefinedOr
      )
    ),
    putWebhook: Effect.fn("WebhookStore.putWebhook")((tenant, webhook) =>
      atNow((now) => write("set a webhook", endpoints.put(tenant, webhook, now)))
    ),
    rotateSecret: Effect.fn("WebhookStore.rotateSecret")((tenant, rotation) =>
      atNow((now) => write("rotate a webhook's secret", endpoints.rotate(tenant, rotation, now)))
    ),
    removeWebhook: Effect.fn("WebhookStore.removeWebhook")((tenant) =>
      write("remove a webhook", endpoints.remove(tenant))
    ),
    claimCallbacks: TraceContext.traced("WebhookStore.claimCallbacks", (claims) =>
      atNow((now) =>
        Effect.flatMap(
          read("find callbacks owed", (db) => callbacks.findClaimable(db, now, claims)),
          // A delivery reports only what is on the disk: the claim's commit is flushed before the answer.
          (found) => (found.length === 0 ? nothing : write("claim callbacks", callbacks.claim(now, claims, found)))
        )
      )
    ),
    releaseCallbacks: Effect.fn("WebhookStore.releaseCallbacks")((runner) =>
      write("release callbacks", callbacks.release(runner), "deferred")
    ),
    owed: Effect.fn("WebhookStore.owed")((tenant) => read("count what is owed", (db) => callbacks.owed(db, tenant))),
    recordDelivery: TraceContext.traced("WebhookStore.recordDelivery", (pending, delivery, health) =>
      write("record a delivery", deliveries.record(pending, delivery, health))
    ),
    deliveries: Effect.fn("WebhookStore.deliveries")(function* (tenant, id) {
      const found = yield* read("find deliveries", (db) => deliveries.deliveriesOf(db, tenant, id))
      return found ?? (yield* new DocumentNotFound({ documentId: id }))
    }),
    redeliver: Effect.fn("WebhookStore.redeliver")(function* (tenant, id) {
      yield* atNow((now) => write("deliver a document's end again", deliveries.redeliver(tenant, id, now)))
    })
  })
