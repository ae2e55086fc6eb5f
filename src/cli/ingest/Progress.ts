import { Console, Context, Effect, Layer, Schedule, Semaphore, Terminal } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { Json, jsonOf } from "../Json.ts"
import { bar, column, fitted, printable } from "../Text.ts"
import { isGood, type Outcome, outcomeLine, Report, summaryLine } from "./ItemResult.ts"
import type { Accepted, Input, Seen } from "./Target.ts"

/** The progress of one file. */
export type Activity =
  | { readonly _tag: "Sending"; readonly sent: number }
  | { readonly _tag: "Busy"; readonly code: string; readonly seconds: number }
  | { readonly _tag: "Accepted"; readonly accepted: Accepted }
  | { readonly _tag: "Seen"; readonly seen: Seen }

/** Reports progress while files are ingested, in a form for terminals, logs or programs. */
export class Progress extends Context.Service<
  Progress,
  {
    readonly note: (line: string) => Effect.Effect<void>
    readonly update: (input: Input, activity: Activity) => Effect.Effect<void>
    /** Reports a file that could not be sent. */
    readonly refused: (outcome: Outcome) => Effect.Effect<void>
    readonly settled: (input: Input, outcome: Outcome) => Effect.Effect<void>
    readonly summary: (outcomes: ReadonlyArray<Outcome>) => Effect.Effect<void>
  }
>()("sluice/cli/ingest/Progress") {}

const wasPrintedWhenAccepted = ({ error, status }: Outcome) => status === "accepted" && error === undefined

type Print = (line: string) => Effect.Effect<void>

/** One line per event, for logs and pipes. */
const plain = (print: Print) =>
  Progress.of({
    note: print,
    update: ({ path }, activity) => {
      if (activity._tag === "Accepted") {
        const { duplicate, id } = activity.accepted
        return print(printable(`${path}: accepted as ${id}${duplicate ? ", which was there already" : ""}`))
      }
      if (activity._tag === "Busy") {
        return print(printable(`${path}: ${activity.code}, again in ${activity.seconds} s`))
      }
      return Effect.void
    },
    refused: (outcome) => print(outcomeLine(outcome)),
    settled: (_, outcome) => (wasPrintedWhenAccepted(outcome) ? Effect.void : print(outcomeLine(outcome))),
    summary: (outcomes) => print(summaryLine(outcomes))
  })

/** Prints nothing until the end, then everything as one JSON object. */
const silent = (print: Print) =>
  Progress.of({
    note: () => Effect.void,
    update: () => Effect.void,
    refused: () => Effect.void,
    settled: () => Effect.void,
    summary: (outcomes) => {
      const ok = outcomes.filter(isGood).length
      return Effect.flatMap(jsonOf(Report, { ok, failed: outcomes.length - ok, documents: outcomes }), print)
    }
  })

const share = (part: number, whole: number) => (whole === 0 ? "" : `${Math.floor((part / whole) * 100)} %`)

/** `report.pdf          ████████░░░░░░░░░░░░  8/12 pages` */
export const progressLine = ({ path, size }: Input, activity: Activity, columns: number): string => {
  const name = column(printable(path), Math.max(10, Math.min(40, columns - 50)))
  switch (activity._tag) {
    case "Sending":
      return fitted(`${name} ${bar(activity.sent, size)} sending ${share(activity.sent, size)}`, columns)
    case "Busy":
      return fitted(`${name} ${bar(0, 1)} ${activity.code}, again in ${activity.seconds} s`, columns)
    case "Accepted":
      return fitted(`${name} ${bar(0, 1)} accepted`, columns)
    case "Seen": {
      const { done, pages, status, waiting } = activity.seen
      const state =
        pages === undefined ? `${status}${waiting === undefined ? "" : ` (${waiting})`}` : `${done}/${pages} pages`
      return fitted(`${name} ${bar(done, pages ?? 0)} ${state}`, columns)
    }
  }
}

/** The redraw interval, short enough for smooth progress. */
const redrawn = Schedule.spaced("80 millis")

/** One bar per file in progress; finished files scroll away above the bars. */
const live = Layer.effect(
  Progress,
  Effect.gen(function* () {
    const terminal = yield* Terminal.Terminal
    const active = new Map<string, readonly [Input, Activity]>()
    const one = yield* Semaphore.make(1)
    let drawn = 0
    const display = (text: string) => Effect.ignore(terminal.display(text))

    /** Prints lines above the bars and redraws the bars below them. */
    const draw = (above: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const columns = (yield* terminal.columns) || 80
        const lines = [...active.values()].map(([input, activity]) => progressLine(input, activity, columns - 1))
        // Starts with a carriage return: a terminal echoes Ctrl-C at the cursor.
        const back = drawn === 0 ? "" : `\r\u001b[${drawn}A\u001b[J`
        drawn = lines.length
        yield* display(back + [...above, ...lines].map((line) => `${line}\n`).join(""))
      }).pipe(one.withPermits(1), Effect.uninterruptible)

    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        active.clear()
        return draw([])
      })
    )
    yield* Effect.suspend(() => (active.size === 0 ? Effect.void : draw([]))).pipe(
      Effect.repeat(redrawn),
      Effect.forkScoped
    )

    return {
      note: (line: string) => draw([line]),
      update: (input: Input, activity: Activity) =>
        Effect.sync(() => {
          active.set(input.path, [input, activity])
        }),
      refused: (outcome: Outcome) => draw([outcomeLine(outcome)]),
      settled: (input: Input, outcome: Outcome) =>
        Effect.suspend(() => {
          active.delete(input.path)
          return draw([outcomeLine(outcome)])
        }),
      summary: (outcomes: ReadonlyArray<Outcome>) => draw([summaryLine(outcomes)])
    }
  })
)

/** If pages go to standard output, messages go to standard error. */
export const layer = ({ pagesOnStdout }: { readonly pagesOnStdout: boolean }) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const print: Print = pagesOnStdout ? Console.error : Console.log
      if (yield* Json) return Layer.succeed(Progress, silent(print))
      const { canAnimate } = yield* TerminalCapabilities.TerminalCapabilities
      return canAnimate && !pagesOnStdout ? live : Layer.succeed(Progress, plain(print))
    })
  )
