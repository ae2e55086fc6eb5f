// The service as it is shipped, in a process of its own, with what can be read off that process.
import { readFileSync, writeFileSync } from "node:fs"
import { Duration, Effect, Schema } from "effect"
import { ask } from "../peers/processes.ts"
import { ownProcessorSeconds, processorSeconds } from "../peers/processorTime.ts"
import { type SluiceOptions, startSluiceWith } from "../peers/subjects.ts"
import { type Client, makeClient, queueStatus, upload } from "./client.ts"

/** Variables that a service is started with, beside those it needs. */
export type Environment = Readonly<Record<string, string>>

const Delays = Schema.Struct({ p50: Schema.Number, p99: Schema.Number, max: Schema.Number })

const uploadsAtOnce = 16

export const startService = Effect.fnUntraced(function* (options: Omit<SluiceOptions, "preload">) {
  const { child, subject } = yield* startSluiceWith({
    ...options,
    preload: new URL("./eventLoop.mjs", import.meta.url)
  })
  const client = yield* makeClient(subject.url, uploadsAtOnce)
  const pid = child.pid ?? 0
  return {
    client,
    pid,
    subject,
    /** Delays of its event loop since this was asked the last time. */
    eventLoop: Effect.flatMap(ask(child, {}), (answer) => Effect.orDie(Schema.decodeUnknownEffect(Delays)(answer))),
    /** Seconds of processor time used so far. */
    processor: Effect.gen(function* () {
      const main = yield* ownProcessorSeconds(pid)
      return { main, workers: (yield* processorSeconds([pid])) - main }
    })
  }
})

export type Service = Effect.Success<ReturnType<typeof startService>>

/** Megabytes (binary) of the main process's memory; not a number where /proc does not tell. */
export const memoryOf = (pid: number, field: "VmRSS" | "VmHWM") =>
  Effect.sync(() => {
    if (process.platform !== "linux") return Number.NaN
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return Number(found?.[1] ?? Number.NaN) / 1024
  })

/** Lets `VmHWM`, the peak, begin anew. */
export const forgetPeak = (pid: number) =>
  Effect.sync(() => {
    if (process.platform === "linux") writeFileSync(`/proc/${pid}/clear_refs`, "5")
  })

export interface File {
  readonly tenant: string
  readonly bytes: Uint8Array
}

const pause = "20 millis"

/** Asks until all that was submitted has ended, at most every 20 ms. */
export const untilProcessed = Effect.fnUntraced(function* (client: Client, count: number) {
  while (true) {
    const { total_failed, total_processed } = yield* queueStatus(client)
    if (total_failed > 0) return yield* Effect.die(`the service failed to read ${total_failed} documents`)
    if (total_processed >= count) return
    yield* Effect.sleep(pause)
  }
})

/** Nothing is asked before this share of the least time that it took so far. */
const quietShare = 0.9

/** Uploads files again and again, and tells how many seconds it took until all of them were read. */
export const makeReader = ({ client }: Pick<Service, "client">, files: ReadonlyArray<File>) => {
  let leastSeconds = 0
  return Effect.gen(function* () {
    const { total_processed } = yield* queueStatus(client)
    const run = Effect.gen(function* () {
      const [took, ids] = yield* Effect.timed(
        Effect.forEach(files, ({ bytes, tenant }) => upload(client, tenant, bytes), { concurrency: uploadsAtOnce })
      )
      yield* Effect.sleep(Duration.seconds(Math.max(0, quietShare * leastSeconds - Duration.toSeconds(took))))
      yield* untilProcessed(client, total_processed + files.length)
      return ids
    })
    const [took, ids] = yield* Effect.timed(run)
    const seconds = Duration.toSeconds(took)
    leastSeconds = leastSeconds === 0 ? seconds : Math.min(leastSeconds, seconds)
    return { ids, seconds }
  })
}
