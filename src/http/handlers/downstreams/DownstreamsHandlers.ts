import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Downstreams, type InvalidChange, type UnknownDownstream } from "../../../services/downstreams/Downstreams.ts"
import { Api } from "../../api/Api.ts"
import { BadRequest, NotFound } from "../../api/problems/Problems.ts"
import { requireAdmin } from "../../auth/CurrentTenant.ts"

const unknown = (error: UnknownDownstream) =>
  Effect.fail(new NotFound({ code: "DOWNSTREAM_NOT_FOUND", detail: error.message }))

const invalid = (error: InvalidChange) =>
  Effect.fail(new BadRequest({ code: "INVALID_REQUEST", detail: error.message }))

export const DownstreamsHandlers = HttpApiBuilder.group(
  Api,
  "downstreams",
  Effect.fn(function* (handlers) {
    const downstreams = yield* Downstreams
    return handlers.handleAll({
      list: Effect.fnUntraced(function* () {
        yield* requireAdmin
        return { downstreams: yield* downstreams.states }
      }),
      find: Effect.fnUntraced(function* ({ params: { name } }) {
        yield* requireAdmin
        return yield* Effect.catchTag(downstreams.state(name), "UnknownDownstream", unknown)
      }),
      change: Effect.fnUntraced(function* ({ params: { name }, payload }) {
        yield* requireAdmin
        return yield* Effect.catchTags(downstreams.change(name, payload), {
          UnknownDownstream: unknown,
          InvalidChange: invalid
        })
      })
    })
  })
)
