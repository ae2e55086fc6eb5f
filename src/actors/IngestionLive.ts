import { Effect, Layer, Option, Stream } from "effect"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { Documents } from "../services/store/Documents.ts"
import { Events } from "../services/Events.ts"
import { Pipelines } from "../services/pipelines/Pipelines.ts"
import * as Admission from "./admission/Admission.ts"
import * as IdempotencyKeys from "./admission/IdempotentRequests.ts"
import { InFlightSubmissions } from "./admission/InFlightSubmissions.ts"
import { makeChangeFeed } from "./changes/ChangeFeed.ts"
import { followDocument } from "./changes/FollowDocument.ts"
import { makeEndDocument } from "./document/EndDocument.ts"
import { makeStatus } from "./estimates/Status.ts"
import { Ingestion } from "./Ingestion.ts"
import { Chunking } from "../services/chunks/Chunking.ts"
import { makeChunkDocument } from "./chunks/ChunkDocument.ts"
import { makeDrawPage } from "./renderings/DrawPage.ts"
import { makeRenderDocument } from "./renderings/RenderDocument.ts"
import { RunnerReports } from "./upkeep/RunnerReports.ts"
import { makeReadArtifacts } from "./stages/artifacts/ReadArtifacts.ts"
import { makeTenantChanges } from "./tenant/TenantChanges.ts"

/** Pages read from the store at a time when a whole text is streamed, unless their texts are long. */
const textPortion = { limit: 50, bytes: 256 * 1024, detail: false }

/** The `Ingestion` of this engine, on its actors and its store. */
export const layer = Layer.effect(
  Ingestion,
  Effect.gen(function* () {
    const documents = yield* Documents
    const events = yield* Events
    const submissions = yield* InFlightSubmissions
    const keys = yield* IdempotencyKeys.make
    const admission = yield* Admission.make
    const render = yield* makeRenderDocument(documents)
    const chunks = yield* makeChunkDocument(documents, yield* Chunking)
    const image = yield* makeDrawPage(documents)
    const ending = yield* makeEndDocument
    const { withStages, ...artifacts } = yield* makeReadArtifacts
    const pipelines = yield* Pipelines
    const { list: runners } = yield* RunnerReports
    const changes = yield* makeTenantChanges
    const { describe, queueStatus, tenantState } = yield* makeStatus
    const feed = yield* makeChangeFeed({ queueStatus, describe })
    const services = yield* Effect.context<Stream.Services<ReturnType<typeof followDocument>>>()

    const textFrom = (tenant: TenantId, id: DocumentId) =>
      Stream.paginate(1, (from: number) =>
        Effect.map(documents.pages(tenant, id, { from, ...textPortion }), (pages) => {
          const next = Option.map(Option.fromUndefinedOr(pages.at(-1)), ({ number }) => number + 1)
          return [pages.map((page) => page.text), next] as const
        })
      )

    return Ingestion.of({
      ...admission,
      status: Effect.fn("Ingestion.status")(function* (tenant, id) {
        return yield* withStages(yield* describe(yield* documents.find(tenant, id, "outline")))
      }),
      find: documents.find,
      list: Effect.fn("Ingestion.list")((tenant, options) => documents.list(tenant, options)),
      pages: Effect.fn("Ingestion.pages")(function* (tenant, id, options) {
        yield* documents.find(tenant, id)
        return yield* documents.pages(tenant, id, options)
      }),
      text: Effect.fn("Ingestion.text")((tenant, id) => Effect.as(documents.find(tenant, id), textFrom(tenant, id))),
      render,
      chunks,
      ...artifacts,
      image,
      pipelines,
      ...ending,
      ...changes,
      ...keys,
      queueStatus,
      tenant: tenantState,
      events: (tenant) =>
        Stream.unwrap(
          Effect.map(
            events.subscribe,
            Stream.filter((event) => event.tenantId === tenant)
          )
        ),
      follow: (tenant, id) => Stream.provideContext(followDocument(tenant, id), services),
      watch: feed.watch,
      watchDocument: feed.watchDocument,
      changed: feed.changed,
      watching: Effect.sync(feed.held),
      runners,
      accepting: submissions.accepting
    })
  })
)
