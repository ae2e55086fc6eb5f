import { Duration, Effect, FileSystem, Layer, Stream } from "effect"
import { type ClientError, isBusy, SluiceClient, Unreachable } from "../../client.ts"
import { shortWaiting } from "../Describe.ts"
import { reasonOfSystem } from "../SystemError.ts"
import { bytesOf } from "./Bytes.ts"
import { NotIngested, type Seen, Target, type TargetOptions } from "./Target.ts"
import type { DocumentView } from "../../http/api/views/DocumentView.ts"

/** How often a file is sent again after the server had no room for it. */
const mostTries = 100

const notIngested = (error: ClientError) =>
  error._tag === "Refused"
    ? new NotIngested({ code: error.code, detail: error.detail })
    : new NotIngested({
        code: error._tag === "Unreachable" ? "UNREACHABLE" : "UNEXPECTED_ANSWER",
        detail: error.message
      })

const seenOf = ({ error, progress, status, waiting, warnings }: typeof DocumentView.Type): Seen => ({
  status,
  done: progress.done,
  failed: progress.failed,
  warned: progress.warned ?? 0,
  warnings: warnings ?? [],
  pages: progress.pages,
  error: error && { code: error.code, detail: error.message },
  waiting: waiting && shortWaiting(waiting)
})

/** Sends files to a server. */
export const layer = ({ password, pipeline }: TargetOptions) =>
  Layer.effect(
    Target,
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const files = yield* FileSystem.FileSystem

      return Target.of({
        submit: Effect.fnUntraced(function* (input, sending) {
          const { name, size } = input
          const bytes = bytesOf(files, input, sending)
          const { duplicateOf, id } = yield* sluice.ingest(bytes, { name, size, password, pipeline }).pipe(
            Effect.tapError((error) =>
              isBusy(error)
                ? Effect.andThen(
                    sending.busy(error.code, error.retryAfter ?? 1),
                    Effect.sleep(Duration.seconds(error.retryAfter ?? 1))
                  )
                : Effect.void
            ),
            Effect.retry({ times: mostTries, while: isBusy }),
            Effect.mapError((error) => {
              if (error instanceof Unreachable) return error
              return error._tag === "PlatformError"
                ? new NotIngested({ code: "UNREADABLE", detail: reasonOfSystem(error) })
                : notIngested(error)
            })
          )
          return { id, duplicate: duplicateOf !== undefined }
        }),
        follow: (id) =>
          sluice.follow(id, { longest: "1 second" }).pipe(Stream.map(seenOf), Stream.mapError(notIngested)),
        pages: (id) => Stream.mapError(sluice.pages(id), notIngested),
        rendered: (id, format) =>
          sluice.render(id, { format, ...(format === "json" ? {} : { mark: "missing" }) }).pipe(
            Effect.map(({ text }) => text),
            Stream.unwrap,
            Stream.mapError(notIngested),
            Stream.encodeText
          ),
        chunks: (id) => Stream.mapError(sluice.chunks(id), notIngested),
        forget: () => Effect.void
      })
    })
  )
