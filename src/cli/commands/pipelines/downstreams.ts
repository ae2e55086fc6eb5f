import { DateTime, Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { DownstreamName, DownstreamState } from "../../../domain/downstream/Downstream.ts"
import { DownstreamList } from "../../../http/api/downstreams/Downstreams.ts"
import { DownstreamChange } from "../../../services/downstreams/DownstreamSettings.ts"
import { reported, WrongUsage } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { show } from "../../Json.ts"
import { table } from "../../Text.ts"

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const decodeChange = Schema.decodeUnknownResult(DownstreamChange, { onExcessProperty: "error" })
const fields = Object.keys(DownstreamChange.fields)

/** `concurrency=8` or `paused=true`; a JSON object for several, or for one with parts. */
export const parseDownstreamChange = (text: string): Result.Result<DownstreamChange, string> => {
  const at = text.indexOf("=")
  const [name, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  const change = text.trimStart().startsWith("{")
    ? Option.getOrElse(decodeJson(text), () => text)
    : { [name]: Option.getOrElse(decodeJson(value), () => value) }
  return Result.mapError(decodeChange(change), ({ message }) => `--set: ${message.replace(/\s*\n\s*/g, " ")}`)
}

const budgetText = (budget: DownstreamState["tokens"]) =>
  budget && `${budget.left} of ${budget.limit} left until ${DateTime.formatIso(budget.resetsAt)}`

const failureText = (failure: DownstreamState["lastFailure"]) =>
  failure && `${failure.message}, ${DateTime.formatIso(failure.at)}`

const linesOf = (state: DownstreamState): ReadonlyArray<string> =>
  table([
    ["name", state.name],
    ["paused", state.paused ? "yes" : undefined],
    ["blocked", state.blocked],
    ["in use", `${state.inUse.online + state.inUse.batch} of ${state.limit} (at most ${state.limits.max})`],
    ["waiting", `${state.waiting.online} online, ${state.waiting.batch} batch`],
    ["breaker", state.breaker],
    ["tokens", budgetText(state.tokens)],
    ["cost", budgetText(state.cost)],
    ["calls", String(state.calls)],
    ["last failure", failureText(state.lastFailure)],
    ...Object.entries(state.refusals).flatMap(([kind, count]) =>
      count === 0 ? [] : [[`refused: ${kind}`, String(count)] as const]
    ),
    ...state.tenants
      .slice(0, 10)
      .map(
        ({ inUse, tenantId, used, waiting }) =>
          [
            `tenant ${tenantId}`,
            `${inUse} in use, ${waiting} waiting, used ${Math.round(used)} ${state.usedIn}`
          ] as const
      )
  ])

const listLines = ({ downstreams }: typeof DownstreamList.Type): ReadonlyArray<string> =>
  downstreams.length === 0
    ? ["No downstreams are declared."]
    : downstreams.flatMap((state, index) => (index === 0 ? linesOf(state) : ["", ...linesOf(state)]))

export const downstreams = Command.make(
  "downstreams",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription("The downstream; all when absent"),
      Argument.withSchema(DownstreamName),
      Argument.optional
    ),
    set: Flag.String("set").pipe(
      Flag.withMetavar("concurrency=8"),
      Flag.withDescription(`Change one of ${fields.join(", ")}; or several, as a JSON object`),
      Flag.optional
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ name, set }) {
      const sluice = yield* SluiceClient
      const subject = Option.getOrUndefined(name)
      if (Option.isSome(set)) {
        if (subject === undefined) return yield* new WrongUsage({ message: "--set needs the name of the downstream" })
        const change = yield* Effect.mapError(
          Effect.fromResult(parseDownstreamChange(set.value)),
          (message) => new WrongUsage({ message })
        )
        return yield* show(DownstreamState, yield* sluice.changeDownstream(subject, change), linesOf)
      }
      const all = yield* sluice.downstreams
      if (subject === undefined) return yield* show(DownstreamList, { downstreams: all }, listLines)
      return yield* show(DownstreamState, yield* sluice.downstream(subject), linesOf)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Shows what stages call outside of the engine: calls under way and waiting, limits, budgets, refusals. --set changes what one " +
      "may be asked for until the server ends."
  ),
  Command.withExamples([
    { command: "sluice downstreams ocr" },
    { command: "sluice downstreams ocr --set concurrency=8" },
    { command: "sluice downstreams ocr --set paused=true" }
  ])
)
