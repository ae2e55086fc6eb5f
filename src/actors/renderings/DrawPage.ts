import { type Context, Effect, Option, type Redacted, Schema } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { type BlobLocation, BlobStore } from "../../services/BlobStore.ts"
import { Downstreams } from "../../services/downstreams/Downstreams.ts"
import { type ImageRequest, PageImages } from "../../services/PageImages.ts"
import { Pipelines } from "../../services/pipelines/Pipelines.ts"
import { Artifacts } from "../../services/store/Artifacts.ts"
import type { Documents } from "../../services/store/Documents.ts"

/** There is nothing to draw with, or no file yet. */
export class NoImages extends Schema.TaggedError<NoImages>()("NoImages", {
  why: Schema.Literals(["off", "pending"])
}) {
  override get message() {
    return this.why === "off" ? "this server draws no pages" : "the document's file is not there yet"
  }
}

export interface DrawOptions extends ImageRequest {
  readonly format: "png" | "webp"
  /** Opens the file, whose own is not kept. */
  readonly password?: Redacted.Redacted | undefined
}

/** Draws pages of documents for people. */
export const makeDrawPage = Effect.fnUntraced(function* (documents: Context.Service.Shape<typeof Documents>) {
  const artifacts = yield* Artifacts
  const images = Option.getOrUndefined(yield* Effect.serviceOption(PageImages))
  const blobs = yield* BlobStore
  const pipelines = yield* Pipelines
  const downstreams = yield* Downstreams

  /** The PDF that was read: the file as it was sent, or what the first stage made of it. */
  const locate = Effect.fnUntraced(function* (document: Document) {
    const { blob, id, pipeline, tenantId } = document
    const source = pipeline && Option.getOrUndefined(pipelines.find(pipeline))?.source
    const found = source && (yield* artifacts.find(tenantId, id, { stage: source.stage.name }))
    const made = found && Option.getOrUndefined(found)?.content
    if (made?._tag === "Inline") {
      const location: BlobLocation = { _tag: "Bytes", bytes: made.bytes }
      return location
    }
    const hash = made?.hash ?? blob
    return hash === undefined ? yield* new NoImages({ why: "pending" }) : yield* blobs.locate(hash)
  })

  return Effect.fn("Ingestion.image")(function* (
    tenant: TenantId,
    id: DocumentId,
    page: number,
    { password, ...request }: DrawOptions
  ) {
    const document = yield* documents.find(tenant, id)
    if (images === undefined) return yield* new NoImages({ why: "off" })
    const location = yield* locate(document)
    const drawn = images.render({ key: id, location, password }, page, request, { tenant, class: "online" })
    return yield* Effect.provideService(drawn, Downstreams, downstreams)
  }, Effect.scoped)
})
