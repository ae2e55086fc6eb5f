import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServerRequest } from "effect/http"
import * as Engine from "../../../src/actors/Engine.ts"
import { Ingestion } from "../../../src/actors/Ingestion.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { CurrentTenant } from "../../../src/http/auth/CurrentTenant.ts"
import { plainSession } from "../../../src/http/upload/SubmitItems.ts"
import { uploadForm } from "../../../src/http/upload/UploadItems.ts"
import * as BlobStoreMemory from "../../../src/services/BlobStoreMemory.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { Events } from "../../../src/services/Events.ts"
import { makeScriptedEngine } from "../../../src/services/PdfEngineScripted.ts"
import { soundDocument } from "../../../src/services/scripted/ScriptedDocument.ts"
import * as SecretsMemory from "../../../src/services/secrets/SecretsMemory.ts"
import { Sources } from "../../../src/services/Sources.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { TenantRegistry } from "../../../src/services/TenantRegistry.ts"
import { manyPages } from "../../support/pdf.ts"

const acme = TenantId.make("acme")
const caller = { id: acme, explicit: true, authenticated: false, admin: true }

const formOf = (pdf: Uint8Array<ArrayBuffer>) => {
  const form = new FormData()
  form.append("file", new File([pdf], "first.pdf", { type: "application/pdf" }))
  return HttpServerRequest.fromWeb(new Request("http://localhost/v1/documents", { method: "POST", body: form }))
}

const noSources = Layer.succeed(Sources, {
  resolve: () => Effect.die("there are no sources"),
  readFile: () => Stream.empty,
  fetch: () => Stream.empty
})

const service = Engine.layer.pipe(
  Layer.provide(makeScriptedEngine(() => soundDocument(1)).layer),
  Layer.provideMerge(Events.layer()),
  Layer.provide([
    StoreMemory.layerMemory,
    BlobStoreMemory.layerMemory,
    SecretsMemory.layerMemory,
    SecureRandom.layerWebCrypto,
    noSources
  ]),
  Layer.provide(TenantRegistry.layer()),
  Layer.provide(EngineConfig.layer())
)

it.effect("A form that is interrupted right after the commit of a document withdraws it", () =>
  Effect.gen(function* () {
    const ingestion = yield* Ingestion
    const events = yield* Events
    const upload = yield* uploadForm(
      ingestion,
      plainSession(ingestion),
      formOf(Uint8Array.from(manyPages(1))),
      {}
    ).pipe(Effect.provideService(CurrentTenant, caller), Effect.scoped, Effect.forkChild)
    const seen: Array<string> = []
    yield* events.listen(({ _tag }) => {
      seen.push(_tag)
      if (_tag === "DocumentAccepted") upload.interruptUnsafe()
    })
    const exit = yield* Fiber.await(upload)
    assert.isTrue(Exit.hasInterrupts(exit))
    assert.include(seen, "DocumentAccepted")
    assert.deepStrictEqual(yield* ingestion.list(acme, { limit: 10, status: undefined, before: undefined }), [])
  }).pipe(Effect.provide(service))
)
