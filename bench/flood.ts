import { fork } from "node:child_process"
import { Effect, Stream } from "effect"
import { Ingestion } from "../src/actors/Ingestion.ts"
import { TenantId } from "../src/domain/Ids.ts"
import { prosePdf, type Report } from "./material.ts"
import { layerService, serviceUrl } from "./service.ts"

interface Figures {
  readonly statuses: Readonly<Record<string, number>>
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Processor time of the service's main process by request, in milliseconds, above what it takes at rest. */
  readonly cpu: number
}

interface Client {
  readonly tenant: TenantId
  readonly connections: number
  readonly seconds: number
  /** Milliseconds between an answer and the next upload. */
  readonly rest?: number
}

const full = TenantId.make("full")
const accepted = TenantId.make("accepted")
const quiet = TenantId.make("quiet")

/** How long refusals are held back. */
const pauseMillis = 250

/** Processor time that passes in the service's main process meanwhile, in milliseconds. */
const processorTime = Effect.fnUntraced(function* <A>(effect: Effect.Effect<A>) {
  const before = process.cpuUsage()
  const result = yield* effect
  const { system, user } = process.cpuUsage(before)
  return [result, (system + user) / 1000] as const
})

/** Runs a client in a process of its own. Every answer has to have this status. */
const runClient = Effect.fnUntraced(function* (
  url: string,
  { connections, rest = 0, seconds, tenant }: Client,
  status: number,
  /** Processor time that the service takes at rest, in milliseconds a second. */
  idleMillis = 0
) {
  const client = Effect.callback<Omit<Figures, "cpu">>((resume) => {
    const client = fork(
      new URL("./floodClient.ts", import.meta.url),
      [url, tenant, connections, seconds, rest].map(String)
    )
    client.once("message", (found: Omit<Figures, "cpu">) => resume(Effect.succeed(found)))
    return Effect.sync(() => client.kill())
  })
  const [figures, busyMillis] = yield* processorTime(client)
  const others = Object.keys(figures.statuses).filter((each) => each !== String(status))
  if (others.length > 0) return yield* Effect.die(`${tenant} was answered with ${others.join(", ")} too`)
  return { ...figures, cpu: (busyMillis - idleMillis * seconds) / (figures.perSecond * seconds) }
})

/** A process that is flooded in place of the service. */
const elsewhere = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => fork(new URL("./floodElsewhere.ts", import.meta.url), [String(pauseMillis)])),
    (child) => Effect.sync(() => child.kill())
  )
  const port = yield* Effect.callback<unknown>((resume) => {
    server.once("message", (found) => resume(Effect.succeed(found)))
  })
  return `http://127.0.0.1:${port}`
})

/**
 * What a refusal costs the service against an accept, each asked for by one client process over 32 connections that never
 * waits; and how long another tenant waits for its accepts: alone, while such a client is refused, and while it is refused
 * by a process that has nothing to do with the service, but shares its processors. The workers rest: all tenants are paused. Refusals of who does not wait are slowed down, so their number is no measure of their cost; and
 * as work costs more the less of it there is, for want of warm caches, their processor time is compared with that of accepts
 * at the same pace.
 */
export const flood = (rounds: number) =>
  Effect.gen(function* () {
    const url = yield* serviceUrl
    const ingestion = yield* Ingestion
    for (const tenant of [full, accepted, quiet]) yield* ingestion.pause(tenant)
    yield* ingestion.setLimits(full, { backlog: 1 })
    yield* ingestion.submit(full, Stream.make(prosePdf(1, 1)), { name: "a.pdf" })

    const flooding = { tenant: full, connections: 32, seconds: 5 }
    const calm = { tenant: quiet, connections: 2, seconds: 4, rest: 20 }
    const unrelated = yield* elsewhere
    const roundOf = Effect.gen(function* () {
      const [, rest] = yield* processorTime(Effect.sleep("3 seconds"))
      const refusals = yield* runClient(url, flooding, 429, rest / 3)
      const accepts = yield* runClient(url, { ...flooding, tenant: accepted }, 202, rest / 3)
      const paced = yield* runClient(url, { ...flooding, tenant: accepted, rest: pauseMillis }, 202, rest / 3)
      const alone = yield* runClient(url, calm, 202)
      const calmBeside = (flooded: string) =>
        Effect.map(
          Effect.all([runClient(url, calm, 202), runClient(flooded, flooding, 429)], { concurrency: "unbounded" }),
          ([found]) => found
        )
      return { refusals, accepts, paced, alone, flooded: yield* calmBeside(url), beside: yield* calmBeside(unrelated) }
    })
    // The first round warms up.
    const [, ...found] = yield* Effect.replicateEffect(roundOf, rounds + 1)
    const row = (name: string, unit: string, figure: (round: (typeof found)[number]) => number) => ({
      name,
      unit,
      figures: found.map(figure)
    })
    const report: Report = [
      row("processor time of a refusal", "ms", ({ refusals }) => refusals.cpu),
      row("processor time of an accept at the same pace", "ms", ({ paced }) => paced.cpu),
      row("processor time of an accept, as many as possible", "ms", ({ accepts }) => accepts.cpu),
      row("ratio at the same pace", "accept / refusal", ({ paced, refusals }) => paced.cpu / refusals.cpu),
      row("refusals, 32 connections", "requests/s", ({ refusals }) => refusals.perSecond),
      row("accepts, 32 connections", "requests/s", ({ accepts }) => accepts.perSecond),
      row("accept latency of another tenant, p50", "ms", ({ alone }) => alone.p50),
      row("accept latency of another tenant, p99", "ms", ({ alone }) => alone.p99),
      row("the same during the flood, p50", "ms", ({ flooded }) => flooded.p50),
      row("the same during the flood, p99", "ms", ({ flooded }) => flooded.p99),
      row("the same while another process is flooded, p50", "ms", ({ beside }) => beside.p50),
      row("the same while another process is flooded, p99", "ms", ({ beside }) => beside.p99)
    ]
    return report
  }).pipe(Effect.scoped, Effect.provide(layerService))
