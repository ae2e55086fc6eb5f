import { chmodSync, cpSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option, Queue, Redacted, Schema, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Engine from "../../src/actors/Engine.ts"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import * as Outbox from "../../src/actors/webhooks/Outbox.ts"
import { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import { layerStorage } from "../../src/layers/Engine.ts"
import * as Sources from "../../src/layers/net/Sources.ts"
import * as PdfEngine from "../../src/layers/pdf/PdfEngine.ts"
import { ApiKeys } from "../../src/services/apiKeys/ApiKeys.ts"
import { CallbackSender } from "../../src/services/CallbackSender.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { expectedSignature } from "../actors/webhooks/world.ts"
import { sluice } from "../cli/harness.ts"
import { postgresBinaries } from "../support/postgres/binaries.ts"
import { newDatabase, urlOf } from "../support/postgres/server.ts"
import { startSwift, swiftMissing } from "../support/swift/Swift.ts"
import { temporaryFolder } from "../support/service.ts"

const acme = TenantId.make("acme")
const globex = TenantId.make("globex")

const fixture = join(import.meta.dirname, "../fixtures/data-folder-0.1")

const Made = Schema.Struct({
  documents: Schema.Record(Schema.String, DocumentId),
  key: Schema.RedactedFromValue(Schema.String),
  revokedKey: Schema.RedactedFromValue(Schema.String),
  password: Schema.RedactedFromValue(Schema.String),
  secret: Schema.RedactedFromValue(Schema.String)
})
const made = Schema.decodeUnknownSync(Schema.fromJsonString(Made))(readFileSync(join(fixture, "made.json"), "utf8"))

const idOf = (name: string) => Effect.fromNullishOr(made.documents[name])

interface Sent {
  readonly path: string
  readonly body: string
  readonly headers: Record<string, string>
}

/** The engine and the outbox over a folder, as a service runs them; what would be sent goes into the queue. */
const serviceOver = (env: Readonly<Record<string, string>>, sent: Queue.Queue<Sent>) => {
  const sender = Layer.succeed(CallbackSender, {
    send: (path, body, headers) =>
      Effect.as(Queue.offer(sent, { path, body, headers }), { status: 204, retryAfter: undefined })
  })
  return Layer.mergeAll(Engine.layer, Outbox.layer, Layer.effect(ApiKeys, ApiKeys)).pipe(
    Layer.provide(PdfEngine.layer({ workers: 1 })),
    Layer.provide([layerStorage, Sources.layer({ inbox: undefined, fetchTimeout: "1 minute" }), Events.layer()]),
    Layer.provide([sender, SecureRandom.layerWebCrypto, EngineConfig.layer()]),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
  )
}

const textOf = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId) {
  const ingestion = yield* Ingestion
  const parts = yield* Stream.runCollect(yield* ingestion.text(tenant, id))
  return parts.join("\f").replaceAll(/\s+/g, " ").trim()
})

const completedText = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId) {
  const ingestion = yield* Ingestion
  yield* Stream.runDrain(ingestion.follow(tenant, id))
  assert.strictEqual((yield* ingestion.status(tenant, id)).status, "completed")
  return yield* textOf(tenant, id)
})

const readsEverything = Effect.fnUntraced(function* (sent: Queue.Queue<Sent>) {
  const ingestion = yield* Ingestion
  const keys = yield* ApiKeys

  assert.strictEqual(Option.getOrUndefined(yield* keys.verify(made.key))?.tenantId, acme)
  assert.isTrue(Option.isNone(yield* keys.verify(made.revokedKey)))

  const state = yield* ingestion.tenant(acme)
  assert.deepInclude(state.limits, { weight: 3 })
  assert.isTrue(state.paused)
  assert.strictEqual(yield* textOf(acme, yield* idOf("completed")), "One Two")
  assert.strictEqual(yield* textOf(acme, yield* idOf("large")), "A large file")

  // Its callback was owed when the other version stopped.
  const own = yield* Queue.take(sent)
  assert.deepInclude(own, { path: "https://acme.example/own" })
  assert.strictEqual(own.headers["webhook-id"], yield* idOf("owing"))
  assert.strictEqual(own.headers["webhook-signature"], expectedSignature(own, made.secret))

  // The password opens, and another of the same file is recognised as the same.
  const locked = yield* ingestion.status(globex, yield* idOf("locked"))
  assert.strictEqual(locked.status, "queued")
  const again = { name: locked.name, password: made.password }
  const { duplicateOf } = yield* ingestion.submitSource(globex, yield* Effect.fromNullishOr(locked.blob), again)
  assert.strictEqual(duplicateOf, locked.id)
  yield* ingestion.resume(globex)
  assert.strictEqual(yield* completedText(globex, locked.id), "Behind the password")

  // The bytes in a file are read again.
  const large = yield* ingestion.status(acme, yield* idOf("large"))
  const copy = { name: "copy.pdf" }
  const copied = yield* ingestion.submitSource(acme, yield* Effect.fromNullishOr(large.blob), copy)
  yield* ingestion.resume(acme)
  assert.strictEqual(yield* completedText(acme, copied.id), "A large file")
  assert.strictEqual(yield* completedText(acme, yield* idOf("waiting")), "It waited")
  assert.strictEqual(yield* completedText(acme, yield* idOf("due")), "It was due")
  assert.strictEqual((yield* ingestion.status(acme, yield* idOf("later"))).status, "scheduled")

  const ends = yield* Queue.takeN(sent, 3)
  assert.sameMembers(
    ends.map(({ headers }) => headers["webhook-id"]),
    [copied.id, yield* idOf("waiting"), yield* idOf("due")]
  )
  for (const end of ends) {
    assert.strictEqual(end.path, "https://acme.example/ends")
    assert.strictEqual(end.headers["webhook-signature"], expectedSignature(end, made.secret))
  }
})

/** A copy of the folder. A checkout does not keep the modes of files. */
const earlierFolder = Effect.gen(function* () {
  const directory = join(yield* temporaryFolder, "data")
  cpSync(join(fixture, "folder"), directory, { recursive: true })
  chmodSync(join(directory, "secret.key"), 0o600)
  return directory
})

it.live("A data folder of an earlier version is read whole, and what waited in it goes on", () =>
  Effect.gen(function* () {
    const directory = yield* earlierFolder
    const sent = yield* Queue.unbounded<Sent>()
    yield* Effect.provide(readsEverything(sent), serviceOver({ DATA_DIR: directory }, sent))
  })
)

it.live.skipIf(postgresBinaries === undefined)("The same holds after it was moved into Postgres", () =>
  Effect.gen(function* () {
    const directory = yield* earlierFolder
    const env = { DATA_DIR: directory, DATABASE_URL: Redacted.value(yield* urlOf(yield* newDatabase)) }
    const moved = yield* sluice(["migrate", "--json"], env)
    assert.strictEqual(moved.code, 0, moved.err)
    const sent = yield* Queue.unbounded<Sent>()
    yield* Effect.provide(readsEverything(sent), serviceOver(env, sent))
  })
)

it.live.skipIf(postgresBinaries === undefined || swiftMissing !== undefined)(
  `And when its originals were moved into a bucket, without the folder ${swiftMissing ?? ""}`,
  () =>
    Effect.gen(function* () {
      const swift = yield* startSwift
      yield* swift.makeBucket("originals")
      const directory = yield* earlierFolder
      const database = { DATABASE_URL: Redacted.value(yield* urlOf(yield* newDatabase)), ...swift.env }
      const args = ["migrate", "--blobs", "s3://originals/of-earlier", "--json"]
      const moved = yield* sluice(args, { ...database, DATA_DIR: directory })
      assert.strictEqual(moved.code, 0, moved.err)
      assert.deepInclude(JSON.parse(moved.out).originals, { kept: 0, missing: 0, damaged: 0 })
      const key = readFileSync(join(directory, "secret.key")).toString("hex")
      rmSync(directory, { recursive: true })
      const env = {
        ...database,
        DATA_DIR: join(yield* temporaryFolder, "another"),
        BLOBS: "s3://originals/of-earlier",
        SECRET_KEY: key
      }
      const sent = yield* Queue.unbounded<Sent>()
      yield* Effect.provide(readsEverything(sent), serviceOver(env, sent))
    })
)
