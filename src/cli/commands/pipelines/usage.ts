import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { Day } from "../../../domain/downstream/Usage.ts"
import { UsageList } from "../../../http/api/downstreams/Usage.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { show } from "../../Json.ts"
import { printable } from "../../Text.ts"

type Used = (typeof UsageList.Type)["usage"][number]

const columns: ReadonlyArray<readonly [title: string, of: (used: Used) => string]> = [
  ["pages", ({ pages }) => String(pages)],
  ["worker s", ({ workerMillis }) => (workerMillis / 1_000).toFixed(1)],
  ["calls", ({ calls }) => String(calls)],
  ["call s", ({ downstreamMillis }) => (downstreamMillis / 1_000).toFixed(1)],
  ["tokens", ({ tokens }) => String(tokens)],
  ["cost", ({ cost }) => String(cost)]
]

const usageLines = ({ by, usage }: typeof UsageList.Type): ReadonlyArray<string> => {
  const rows = [
    [by, ...columns.map(([title]) => title)],
    ...usage.map((used) => [used.key, ...columns.map(([, of]) => of(used))])
  ]
  const widths = rows[0]?.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0))) ?? []
  return rows.map((row) =>
    printable(
      row
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join("  ")
    )
  )
}

const day = (name: "from" | "to", description: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Day),
    Flag.withMetavar("2026-11-30"),
    Flag.withDescription(description),
    Flag.optional
  )

/** The most rows of one request. */
const portion = 1_000

export const usage = Command.make(
  "usage",
  {
    by: Flag.Literals("by", ["day", "tenant", "downstream"]).pipe(
      Flag.withDescription("What is summed for each"),
      Flag.withDefault("day")
    ),
    from: day("from", "The first day (UTC); that of the present month otherwise"),
    to: day("to", "The last day (UTC); today otherwise"),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Of all tenants; takes the administrator's key"),
      Flag.withDefault(false)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ all, by, from, to }) {
      const sluice = yield* SluiceClient
      const query = {
        by,
        limit: portion,
        ...(Option.isSome(from) ? { from: from.value } : {}),
        ...(Option.isSome(to) ? { to: to.value } : {}),
        ...(all ? { scope: "all" as const } : {})
      }
      let part = yield* sluice.usage(query)
      const rows: Array<Used> = [...part.usage]
      while (part.nextCursor !== undefined) {
        part = yield* sluice.usage({ ...query, cursor: part.nextCursor })
        rows.push(...part.usage)
      }
      yield* show(UsageList, { from: part.from, to: part.to, by: part.by, usage: rows }, usageLines)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Shows what was used: pages and workers' time, and calls, time, tokens and cost of downstreams. `worker` are the page workers."
  ),
  Command.withExamples([
    { command: "sluice usage --by downstream --from 2026-11-01 --to 2026-11-30" },
    { command: "sluice usage --by tenant --all" }
  ])
)
