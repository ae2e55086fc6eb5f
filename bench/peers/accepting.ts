// Durable accepts: 202 after the file and what is to be done with it are on the disk. Nobody reads meanwhile.
import { fork } from "node:child_process"
import { Effect } from "effect"
import type { Report } from "../material.ts"
import { processorSeconds } from "./processorTime.ts"
import { figuresOf, interleave, ratios, resultOf, rowsOf } from "./rounds.ts"
import {
  installPeers,
  startAll,
  startBullmq,
  startGraphileWorker,
  startPgBoss,
  startSluice,
  type Subject,
  type Tuning
} from "./subjects.ts"
import { queueStatus } from "./work.ts"

interface Figures {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

const tenants = 20

/** Lets a process of its own upload small files as fast as it can. */
export const runClient = (url: string, connections: number, seconds: number) =>
  Effect.callback<Figures>((resume) => {
    const client = fork(new URL("../client.ts", import.meta.url), [url, String(connections), String(seconds)], {
      execArgv: ["--no-warnings"]
    })
    client.once("message", (figures: Figures) => resume(Effect.succeed(figures)))
    client.once("exit", (code) => {
      if (code !== 0) resume(Effect.die(`the client of ${url} ended with ${code}`))
    })
    return Effect.sync(() => client.kill())
  })

/** The peers are started without workers; Sluice's are kept from starting anything by pausing every tenant. */
export const rest = Effect.fnUntraced(function* (subject: Subject) {
  if (subject.name !== "Sluice") return
  for (let tenant = 0; tenant < tenants; tenant++) {
    const name = `tenant-${tenant}`
    const headers = { "content-type": "application/json", "x-tenant-id": name }
    const init = { method: "PATCH", headers, body: JSON.stringify({ paused: true }) }
    const { ok } = yield* Effect.promise(() => fetch(`${subject.url}/v1/tenants/${name}`, init))
    if (!ok) return yield* Effect.die(`${name} cannot be paused`)
  }
})

/** Accepts over so many connections for so many seconds a round; what was accepted must wait in the queue afterwards. */
export const accepting = Effect.fnUntraced(function* (
  connections: number,
  seconds: number,
  rounds: number,
  tuning: Tuning
) {
  yield* installPeers
  const subjects = yield* startAll([
    startSluice,
    startBullmq(0),
    startGraphileWorker(tuning.connections),
    startPgBoss(tuning.connections)
  ])
  yield* Effect.forEach(subjects, rest)
  const found = yield* interleave(
    subjects,
    rounds,
    Effect.fnUntraced(function* (subject: Subject) {
      const before = yield* queueStatus(subject)
      const processor = yield* processorSeconds(subject.pids)
      const figures = yield* runClient(subject.url, connections, seconds)
      const used = (yield* processorSeconds(subject.pids)) - processor
      const queued = (yield* queueStatus(subject)).queue_size - before.queue_size
      const accepted = Math.round(figures.perSecond * seconds)
      if (accepted === 0 || queued < accepted) {
        return yield* Effect.die(`${subject.name} accepted ${accepted} documents, and ${queued} of them wait`)
      }
      return { ...figures, millis: (used * 1000) / accepted }
    })
  )
  const rates = figuresOf(found, ({ perSecond }) => perSecond)
  const rows: Report = [
    ...rowsOf("accepts, ", "documents/s", rates),
    ...rowsOf(
      "accept latency p50, ",
      "ms",
      figuresOf(found, ({ p50 }) => p50)
    ),
    ...rowsOf(
      "accept latency p99, ",
      "ms",
      figuresOf(found, ({ p99 }) => p99)
    ),
    ...rowsOf(
      "processor time of an accept, ",
      "ms",
      figuresOf(found, ({ millis }) => millis)
    ),
    ...ratios(rates)
  ]
  return resultOf("accepts", rounds, subjects, rows)
}, Effect.scoped)
