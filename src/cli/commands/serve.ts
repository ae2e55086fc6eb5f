import { ConfigProvider, Console, Data, Effect, Layer, Option, Ref, Runtime, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { roles, type Role } from "../../services/config/RoleConfig.ts"
import { InterruptedExit, reasonOf } from "../CommandFailure.ts"
import { Json } from "../Json.ts"

class CannotStart extends Data.TaggedError("CannotStart")<{}> {
  override readonly [Runtime.errorReported] = false
}

const explain = Effect.fnUntraced(function* (error: Error) {
  const detail = reasonOf(error)
  yield* Console.error(
    (yield* Json) ? JSON.stringify({ error: { code: "CANNOT_START", detail } }) : `Sluice cannot start: ${detail}`
  )
  return yield* new CannotStart()
})

interface ServeOptions {
  readonly role?: Role | undefined
  readonly runners?: number | "auto" | undefined
}

const variablesOf = (role: Role | undefined) => (role === undefined ? undefined : { ROLE: role })

const one = Effect.fnUntraced(function* (role: Role | undefined) {
  // Loaded on demand: the other commands do not need the engine and should start fast.
  const { service } = yield* Effect.promise(() => import("../Service.ts"))
  const own = variablesOf(role)
  const settings =
    own === undefined ? Layer.empty : ConfigProvider.layerAdd(ConfigProvider.fromUnknown(own), { asPrimary: true })
  return yield* Layer.launch(Layer.provide(service, settings))
})

const several = Effect.fnUntraced(function* (runners: number | "auto", role: Role | undefined) {
  const { supervision } = yield* Effect.promise(() => import("../serve/Supervision.ts"))
  return yield* supervision(runners, variablesOf(role) ?? {})
})

/** Runs until a signal stops it, which is not a failure. */
export const runServer = Effect.fnUntraced(function* ({ role, runners }: ServeOptions = {}) {
  yield* Ref.set(yield* InterruptedExit, 0)
  return yield* Effect.catch(runners === undefined ? one(role) : several(runners, role), explain)
})

const Runners = Schema.Union([
  Schema.Literal("auto"),
  Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 64 }))
])

export const serve = Command.make(
  "serve",
  {
    role: Flag.Literals("role", roles).pipe(
      Flag.withDescription("Serve the interface only (api), run documents only (runner), or both; ROLE sets it, too"),
      Flag.optional
    ),
    runners: Flag.String("runners").pipe(
      Flag.withDescription("How many processes share this machine (auto: one for four processors); needs DATABASE_URL"),
      Flag.withSchema(Runners),
      Flag.optional
    )
  },
  ({ role, runners }) => runServer({ role: Option.getOrUndefined(role), runners: Option.getOrUndefined(runners) })
).pipe(
  Command.withDescription(
    "Starts the server, configured by environment variables (see the README). SIGTERM or Ctrl-C stops it in order, a second one at once."
  ),
  Command.withExamples([
    { command: "PORT=8080 DATA_DIR=/var/lib/sluice sluice serve" },
    { command: "DATABASE_URL=postgres://sluice@db/sluice sluice serve --runners auto" }
  ])
)
