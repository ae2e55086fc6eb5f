import { Effect, Option, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion, type News } from "../../actors/Ingestion.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Api } from "../api/Api.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { eventText, retryText } from "../live/EventText.ts"
import { documentProblems } from "../api/problems/Failures.ts"
import { liveHeaders, LiveStreams } from "../live/LiveStreams.ts"
import { Forbidden } from "../api/problems/Problems.ts"

export const EventsHandlers = HttpApiBuilder.group(
  Api,
  "events",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const streams = yield* LiveStreams

    const answer = (news: Stream.Stream<News, StoreUnavailable>) =>
      HttpServerResponse.stream(
        news.pipe(
          Stream.mapArrayEffect((batch) => Effect.orDie(Effect.forEach(batch, eventText))),
          // All pending events go out in one write.
          Stream.mapArray(([first, ...rest]) => [first + rest.join("")]),
          (texts) => Stream.concat(Stream.make(retryText), texts),
          // The client reconnects and receives everything that it missed.
          Stream.tapError((error) => Effect.logWarning("events broke off", error)),
          streams.untilClosed,
          Stream.encodeText
        ),
        { contentType: "text/event-stream", headers: liveHeaders }
      )

    return handlers
      .handleRaw(
        "document",
        Effect.fnUntraced(function* ({ headers, params, query }) {
          const { id } = yield* CurrentTenant
          const after = headers["last-event-id"] ?? query.lastEventId
          const news = yield* documentProblems(ingestion.watchDocument(id, params.id, after))
          if (Option.isNone(news)) return HttpServerResponse.empty({ headers: liveHeaders })
          yield* streams.enter(id)
          return answer(news.value)
        })
      )
      .handleRaw(
        "all",
        Effect.fnUntraced(function* ({ headers, query: { lastEventId, scope } }) {
          const { admin, id } = yield* CurrentTenant
          if (scope === "all" && !admin) {
            return yield* new Forbidden({ code: "FORBIDDEN", detail: "a tenant sees its own documents only" })
          }
          yield* streams.enter(id)
          return answer(ingestion.watch(scope === "all" ? undefined : id, headers["last-event-id"] ?? lastEventId))
        })
      )
  })
)
