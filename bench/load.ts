/** Load on a service that runs in this process: uploads over HTTP, and backlogs that are kept up. */
import { createHash } from "node:crypto"
import { Clock, Effect, Schedule, Schema, Stream } from "effect"
import { FairShares } from "../src/actors/scheduling/FairShares.ts"
import { Ingestion } from "../src/actors/Ingestion.ts"
import { BlobHash, DocumentId, TenantId } from "../src/domain/Ids.ts"
import { serviceUrl } from "./service.ts"

export const tenantOf = (name: string) => TenantId.make(name)

const decodeAccepted = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ documents: Schema.Tuple([Schema.Struct({ id: DocumentId })]) }))
)

/** Uploads one file, and resolves when it is accepted. The id of its document. */
const upload = Effect.fnUntraced(function* (tenant: TenantId, bytes: Uint8Array) {
  const url = yield* serviceUrl
  const headers = { "content-type": "application/pdf", "x-tenant-id": tenant }
  const answer = yield* Effect.promise(async () => {
    const response = await fetch(`${url}/v1/documents?force=true`, { method: "POST", headers, body: bytes.slice() })
    return await response.text()
  })
  return (yield* Effect.orDie(decodeAccepted(answer))).documents[0].id
})

/** Milliseconds from sending the file to the end of its document. */
export const timeToResult = Effect.fnUntraced(function* (tenant: TenantId, bytes: Uint8Array) {
  const ingestion = yield* Ingestion
  const start = yield* Clock.currentTimeNanos
  const id = yield* upload(tenant, bytes)
  yield* Stream.runDrain(ingestion.follow(tenant, id))
  return Number((yield* Clock.currentTimeNanos) - start) / 1e6
})

/** Uploads the file once, then keeps so many documents of it unfinished, for as long as the scope lives. */
export const keepBacklog = Effect.fnUntraced(function* (tenant: TenantId, bytes: Uint8Array, documents: number) {
  const ingestion = yield* Ingestion
  const hash = BlobHash.make(createHash("sha256").update(bytes).digest("hex"))
  yield* upload(tenant, bytes)
  const fillUp = Effect.gen(function* () {
    const { running, waiting } = yield* ingestion.queueStatus(tenant)
    for (let count = running + waiting; count < documents; count++) {
      yield* ingestion.submitSource(tenant, hash, { force: true })
    }
  })
  yield* fillUp
  // What is refused now is tried again at the next look.
  yield* Effect.forkScoped(Effect.repeat(Effect.ignore(fillUp), Schedule.spaced("250 millis")))
})

/** Worker time by tenant, counted from now on. */
export const countWorkerTime = Effect.map(FairShares, (shares) => {
  const used = new Map<TenantId, number>()
  shares.onUse((tenant, millis) => used.set(tenant, (used.get(tenant) ?? 0) + millis))
  return used
})
