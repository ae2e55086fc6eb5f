import { Duration, Effect, FileSystem, Layer, Option, Stream } from "effect"
import { Ingestion, type SubmitError } from "../../actors/Ingestion.ts"
import { isTerminal } from "../../domain/document/Document.ts"
import type { IngestEvent } from "../../domain/Event.ts"
import { TenantId } from "../../domain/Ids.ts"
import { pageViewOf } from "../../http/api/views/DocumentView.ts"
import * as Engine from "../../layers/Engine.ts"
import { filesAtOnce } from "./Ingest.ts"
import { reasonOfSystem } from "../SystemError.ts"
import { bytesOf } from "./Bytes.ts"
import { NotIngested, type Seen, Target, type TargetOptions } from "./Target.ts"

const tenant = TenantId.make("local")

const notAccepted = (error: SubmitError) =>
  error._tag === "SubmissionRejected"
    ? new NotIngested({ code: error.failure.code, detail: error.failure.message })
    : new NotIngested({ code: "REFUSED", detail: error.message })

const lost = (error: Error) => new NotIngested({ code: "LOST", detail: error.message })

const start: Seen = {
  status: "queued",
  done: 0,
  failed: 0,
  warned: 0,
  warnings: [],
  pages: undefined,
  error: undefined,
  waiting: undefined
}

const after = (seen: Seen, event: IngestEvent): Seen => {
  switch (event._tag) {
    case "DocumentOpened":
      return { ...seen, status: "running", pages: event.pages }
    case "PageDone":
      return {
        ...seen,
        done: seen.done + 1,
        failed: seen.failed + (event.status === "failed" || event.status === "timeout" ? 1 : 0)
      }
    case "DocumentEnded": {
      const error = event.failure && { code: event.failure.code, detail: event.failure.message }
      return { ...seen, status: event.status, error }
    }
    default:
      return seen
  }
}

/** Reads files in this process, with the same page workers as a server. Only requested output is kept. */
export const layer = ({ password, pipeline }: TargetOptions) =>
  Layer.effect(
    Target,
    Effect.gen(function* () {
      const ingestion = yield* Ingestion
      const files = yield* FileSystem.FileSystem

      return Target.of({
        submit: Effect.fnUntraced(function* (input, sending) {
          const { name, size } = input
          // Two inputs with the same bytes are two documents, so removing one cannot affect the other while it is read.
          const { id } = yield* ingestion
            .submit(tenant, bytesOf(files, input, sending), { name, size, password, pipeline, force: true })
            .pipe(
              Effect.mapError((error) =>
                error._tag === "PlatformError"
                  ? new NotIngested({ code: "UNREADABLE", detail: reasonOfSystem(error) })
                  : notAccepted(error)
              )
            )
          return { id, duplicate: false }
        }),
        follow: (id) =>
          ingestion.follow(tenant, id).pipe(
            Stream.scan(() => start, after),
            // Events contain no warnings.
            Stream.mapEffect((seen) =>
              isTerminal(seen.status)
                ? Effect.map(ingestion.status(tenant, id), ({ progress, warnings = [] }) => ({
                    ...seen,
                    warned: progress.warned ?? 0,
                    warnings
                  }))
                : Effect.succeed(seen)
            ),
            Stream.mapError(lost)
          ),
        pages: (id) =>
          Stream.paginate(1, (from) =>
            ingestion.pages(tenant, id, { from, limit: 100, detail: false }).pipe(
              Effect.map((found) => {
                const pages = found.map(pageViewOf)
                const last = pages.at(-1)
                return [pages, last === undefined ? Option.none() : Option.some(last.number + 1)] as const
              }),
              Effect.mapError(lost)
            )
          ),
        rendered: (id, format) =>
          ingestion.render(tenant, id, { format, marks: true }).pipe(
            Effect.map(({ text }) => text),
            Stream.unwrap,
            Stream.mapError(lost),
            Stream.encodeText
          ),
        chunks: (id) => Stream.mapError(Stream.unwrap(ingestion.chunks(tenant, id, {})), lost),
        forget: (id) => Effect.ignore(ingestion.remove(tenant, id))
      })
    })
  ).pipe(
    Layer.provide(
      Engine.layerMemoryFromEnv({
        // There is one user, whose files have equal priority. After Ctrl-C the command does not wait for running pages.
        limits: { globalDocuments: filesAtOnce, tenantDocuments: filesAtOnce, shutdownGrace: Duration.zero }
      })
    )
  )
