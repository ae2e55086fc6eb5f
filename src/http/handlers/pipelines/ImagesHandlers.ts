import { createHash } from "node:crypto"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { type DrawOptions, Ingestion } from "../../../actors/Ingestion.ts"
import type { Failure } from "../../../domain/Failure.ts"
import type { DocumentId } from "../../../domain/Ids.ts"
import type { DownstreamFailure } from "../../../services/downstreams/Downstreams.ts"
import { mediaTypes, type PageImageError, thumbnail } from "../../../services/PageImages.ts"
import { isKnown } from "../../answers/CacheableAnswers.ts"
import { UnsentBytes } from "../../answers/UnsentBytes.ts"
import { Api } from "../../api/Api.ts"
import { documentProblems, notFound, unavailable } from "../../api/problems/Failures.ts"
import { NotFound, ServiceUnavailable, someTime, UnprocessableContent } from "../../api/problems/Problems.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"
import { pageNotFound } from "../pages/RequestedPages.ts"

const noImages = {
  off: new NotFound({
    code: "IMAGES_OFF",
    detail: "this server draws no pages",
    advice: "The operator can turn that on: see docs/pipelines.md."
  }),
  pending: new NotFound({ code: "FILE_PENDING", detail: "the document's file is not there yet" })
}

/** For the wait for a turn, and the drawing itself. */
const longest = "60 seconds"

const busy = new ServiceUnavailable({
  code: "IMAGES_BUSY",
  detail: `the page was not drawn within ${longest}`,
  retryAfter: someTime
})

const undrawn = ({ advice, code, message }: Failure) => new UnprocessableContent({ code, detail: message, advice })

const failed = ({ again, failure }: PageImageError) =>
  again
    ? new ServiceUnavailable({
        code: failure.code,
        detail: failure.message,
        advice: failure.advice,
        retryAfter: someTime
      })
    : undrawn(failure)

const noPlace = ({ advice, code, message, retryAfterMillis }: DownstreamFailure) =>
  new ServiceUnavailable({
    code,
    detail: message,
    advice,
    retryAfter: retryAfterMillis === undefined ? someTime : Math.max(1, Math.ceil(retryAfterMillis / 1_000))
  })

export const ImagesHandlers = HttpApiBuilder.group(
  Api,
  "images",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const unsent = yield* UnsentBytes

    const draw = Effect.fnUntraced(function* (
      id: DocumentId,
      page: number,
      options: DrawOptions,
      known: string | undefined
    ) {
      const tenant = yield* CurrentTenant
      const document = yield* documentProblems(ingestion.find(tenant.id, id))
      if (page > (document.progress.pages ?? Number.POSITIVE_INFINITY)) return yield* pageNotFound(document, page)
      const { bytes } = yield* ingestion.image(tenant.id, id, page, options).pipe(
        Effect.catchTags({
          DocumentNotFound: notFound,
          StoreUnavailable: unavailable,
          BlobStoreUnavailable: unavailable,
          BlobLost: ({ message }) =>
            Effect.fail(
              new UnprocessableContent({ code: "BLOB_LOST", detail: message, advice: "Upload the file again." })
            ),
          NoImages: ({ why }) => Effect.fail(noImages[why]),
          PdfUnreadable: ({ failure }) => Effect.fail(undrawn(failure)),
          PageImageError: (error) => Effect.fail(failed(error)),
          DownstreamFailure: (error) => Effect.fail(error.code === "DOWNSTREAM_UNKNOWN" ? noImages.off : noPlace(error))
        }),
        Effect.timeoutOrElse({ duration: longest, orElse: () => Effect.fail(busy) })
      )
      const etag = `"${createHash("sha256").update(bytes).digest("hex")}"`
      // Who may see it depends on the key, so a browser asks each time; the image is sent only if it has another one.
      const headers = { etag, "cache-control": "private, no-cache" }
      if (isKnown(known, etag)) return HttpServerResponse.empty({ status: 304, headers })
      yield* unsent.hold(bytes.length)
      return HttpServerResponse.uint8Array(bytes, { contentType: mediaTypes[options.format], headers })
    })

    return handlers.handleAll({
      image: ({ headers, params: { id, n }, query: { dpi = 150, format = "png" } }) =>
        draw(id, n, { size: { dpi }, format, password: headers["x-pdf-password"] }, headers["if-none-match"]),
      thumbnail: ({ headers, params: { id, n }, query: { format = "webp" } }) =>
        draw(id, n, { ...thumbnail, format, password: headers["x-pdf-password"] }, headers["if-none-match"])
    })
  })
)
