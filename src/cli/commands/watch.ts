import { Console, DateTime, Effect, Option, Ref, Result, Schema, Stream, Terminal } from "effect"
import { Argument, Command, Flag, TerminalCapabilities } from "effect/cli"
import { type ClientError, SluiceClient, TenantId } from "../../client.ts"
import { TenantState } from "../../domain/tenant/TenantState.ts"
import { DocumentView } from "../../http/api/views/DocumentView.ts"
import { QueueStatusView } from "../../http/api/Queue.ts"
import { connected, connection } from "../Connection.ts"
import { InterruptedExit, reported } from "../CommandFailure.ts"
import { Json, printJson } from "../Json.ts"
import { fitted, unstopped } from "../Text.ts"
import { type View, viewLine, viewLines } from "../View.ts"

/** One snapshot; `--json` prints one per line. */
const Snapshot = Schema.Struct({
  at: Schema.DateTimeUtcFromString,
  queue: QueueStatusView,
  tenants: Schema.Array(TenantState),
  documents: Schema.Array(DocumentView)
})

const shownDocuments = 10

/** The queue of the whole engine, or only the tenant's own if the server does not allow more. */
const queueOf = Effect.fnUntraced(function* () {
  const sluice = yield* SluiceClient
  return yield* Effect.catchIf(
    sluice.queue("all"),
    (error) => error._tag === "Refused" && error.status === 403,
    () => sluice.queue()
  )
})

const snapshot = Effect.fnUntraced(function* (names: ReadonlyArray<TenantId>) {
  const sluice = yield* SluiceClient
  const { queue, running, waiting, tenants } = yield* Effect.all(
    {
      queue: queueOf(),
      running: sluice.list({ status: "running", limit: shownDocuments }),
      waiting: sluice.list({ status: "queued", limit: shownDocuments }),
      tenants: Effect.forEach(names.length === 0 ? [undefined] : names, sluice.tenant, { concurrency: 4 })
    },
    { concurrency: 4 }
  )
  // Listed documents do not contain `waiting`.
  const ids = [...running.documents, ...waiting.documents].slice(0, shownDocuments).map(({ id }) => id)
  const documents = yield* Effect.forEach(ids, (id) => Effect.option(sluice.status(id)), { concurrency: 4 })
  const view: View = { at: yield* DateTime.now, queue, tenants, documents: documents.flatMap(Option.toArray) }
  return view
})

const clear = "\u001b[H\u001b[J"
const enter = "\u001b[?1049h\u001b[?25l"
const leave = "\u001b[?25h\u001b[?1049l"

/** Draws each snapshot over the one before, on the alternate screen of the terminal. */
const liveScreen = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const display = (text: string) => Effect.ignore(terminal.display(text))
  yield* Effect.acquireRelease(display(enter), () => display(leave))
  return Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
    const [columns, rows] = [(yield* terminal.columns) || 80, (yield* terminal.rows) || 24]
    yield* display(
      clear +
        lines
          .slice(0, rows - 1)
          .map((line) => `${fitted(line, columns - 1)}\n`)
          .join("")
    )
  })
})

export const watch = Command.make(
  "watch",
  {
    tenants: Argument.String("tenants").pipe(
      Argument.withDescription("Tenants to show; the one of --tenant when none is named"),
      Argument.withSchema(TenantId),
      Argument.variadic()
    ),
    count: Flag.Int("count").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("End after so many updates"),
      Flag.filter(
        (count) => count > 0,
        () => "at least 1"
      ),
      Flag.optional
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ count, tenants, url }) {
      // Ctrl-C is the normal end of this command.
      yield* Ref.set(yield* InterruptedExit, 0)
      const { canAnimate } = yield* TerminalCapabilities.TerminalCapabilities
      const json = yield* Json
      const screen = canAnimate && !json ? yield* liveScreen : undefined
      let seen = false

      const onSnapshot = (result: Result.Result<View, ClientError>) =>
        Effect.gen(function* () {
          // A server that answered before may come back; if none ever answered, the address is probably wrong.
          if (Result.isFailure(result)) {
            if (!seen) return yield* result.failure
            return yield* screen?.([`${unstopped(result.failure.message)}; trying again`]) ?? Effect.void
          }
          seen = true
          if (json) return yield* printJson(Snapshot, result.success)
          if (screen !== undefined) return yield* screen(viewLines(url, result.success))
          return yield* Console.log(viewLine(result.success))
        })

      const snapshots = Stream.fromEffect(Effect.result(snapshot(tenants)))
      yield* snapshots.pipe(
        Stream.concat(Stream.drain(Stream.fromEffect(Effect.sleep("1 second")))),
        Stream.forever,
        (all) => Option.match(count, { onNone: () => all, onSome: (n) => Stream.take(all, n) }),
        Stream.runForEach(onSnapshot)
      )
    },
    Effect.scoped,
    // Documents of the first named tenant are shown, unless --tenant is given.
    (effect, { tenant, tenants, url }) =>
      connected(effect, { url, tenant: Option.orElse(tenant, () => Option.fromUndefinedOr(tenants[0])) }),
    reported
  )
).pipe(
  Command.withDescription(
    "Shows the gates, tenants and documents, once a second: redrawn on a terminal, otherwise in one line each time. Ctrl-C ends it."
  ),
  Command.withExamples([{ command: "sluice watch acme globex" }, { command: "sluice watch --count 1 --json" }])
)
