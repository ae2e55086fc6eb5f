import { fork } from "node:child_process"
import { Effect } from "effect"
import type { Report } from "./material.ts"
import { layerService, serviceUrl } from "./service.ts"

interface Figures {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** Lets a process of its own upload small files as fast as it can. */
const runClient = (url: string, connections: number, seconds: number) =>
  Effect.callback<Figures>((resume) => {
    const client = fork(new URL("./client.ts", import.meta.url), [url, String(connections), String(seconds)])
    client.once("message", (figures: Figures) => resume(Effect.succeed(figures)))
    return Effect.sync(() => client.kill())
  })

/** Durable accepts over HTTP while the workers are idle at first and busy with what came in later. */
export const accepting = (rounds: number) =>
  Effect.gen(function* () {
    const url = yield* serviceUrl
    yield* runClient(url, 64, 2)
    const found: Array<Figures> = []
    for (let round = 0; round < rounds; round++) found.push(yield* runClient(url, 64, 5))
    const report: Report = [
      { name: "accepts, 64 connections", unit: "documents/s", figures: found.map(({ perSecond }) => perSecond) },
      { name: "accept latency, p50", unit: "ms", figures: found.map(({ p50 }) => p50) },
      { name: "accept latency, p99", unit: "ms", figures: found.map(({ p99 }) => p99) }
    ]
    return report
  }).pipe(Effect.provide(layerService))
