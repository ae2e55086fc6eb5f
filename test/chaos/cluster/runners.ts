// The runners: real servers over one database, each under a name and on a port that it keeps through all of its lives.
import { Clock, Effect, Exit, Schedule, Schema, Scope } from "effect"
import { makeClient, type Client } from "../client.ts"
import { isAlive, type Process } from "../processes.ts"
import { freePort, LogLine, type ServerProcess, startServer } from "../server.ts"

/** Pages of a document whose reading was begun under an attempt. */
export interface Reading {
  readonly document: string
  readonly attempt: number
  readonly pages: ReadonlyArray<number>
}

export interface Runner {
  readonly name: string
  readonly client: Client
  /** `down` while it is stopped on purpose, or has not started yet. */
  state: "up" | "down" | "frozen"
}

const decodeLine = Schema.decodeUnknownOption(LogLine)
const decodeStarted = Schema.decodeUnknownOption(
  Schema.Struct({ "document.id": Schema.String, "document.attempt": Schema.Int, pages: Schema.Array(Schema.Int) })
)

const mostStarts = 60

export interface RunnersOptions {
  readonly count: number
  /** What a runner is started with, beside its port. The port of the argument is another one, for its peers. */
  readonly env: (name: string, peerPort: number) => Readonly<Record<string, string>>
  readonly directory: (name: string) => string
}

/** All runners are down. They are killed with the scope. */
export const makeRunners = Effect.fnUntraced(function* ({ count, directory, env }: RunnersOptions) {
  const scope = yield* Effect.scope
  const readings: Array<Reading> = []
  /** Page workers of runners that were killed or ended. */
  const workers: Array<Process> = []
  /** Runners that ended although nothing ended them, and orderly stops with another code than 0. */
  const wrongEnds: Array<string> = []
  let failedStarts = 0

  const hear = (text: string) => {
    if (!text.startsWith("{")) return
    const line = decodeLine(text)
    if (line._tag === "None" || line.value.message !== "range started") return
    const started = decodeStarted(line.value.annotations)
    if (started._tag === "None") return
    const { "document.attempt": attempt, "document.id": document, pages } = started.value
    readings.push({ document, attempt, pages })
  }

  const make = Effect.fnUntraced(function* (name: string) {
    const [port, peerPort] = [yield* freePort, yield* freePort]
    const runner: Runner = { name, client: makeClient(`http://127.0.0.1:${port}`), state: "down" }
    let life: { readonly server: ServerProcess; readonly scope: Scope.Closeable } | undefined

    const startOnce = Effect.gen(function* () {
      const own = yield* Scope.fork(scope)
      const server = yield* Scope.provide(
        startServer({
          directory: directory(name),
          port,
          env: { LOG_LEVEL: "Debug", ...env(name, peerPort) },
          onLine: hear
        }),
        own
      )
      life = { server, scope: own }
      const listening = yield* Effect.exit(server.listening)
      if (Exit.isSuccess(listening)) return undefined
      yield* Scope.close(own, Exit.void)
      return String(listening.cause)
    })

    /** As a supervisor does it: one that cannot start now, because the database is away, is started again a second later. */
    const start = Effect.gen(function* () {
      for (let starts = 1; ; starts++) {
        const failure = yield* startOnce
        if (failure === undefined) break
        failedStarts++
        if (starts >= mostStarts) return yield* Effect.die(new Error(failure))
        yield* Effect.sleep("1 second")
      }
      runner.state = "up"
      const server = life?.server
      yield* Effect.forkIn(
        Effect.gen(function* () {
          const end = yield* server?.ended ?? Effect.never
          if (runner.state === "up" && life?.server === server) wrongEnds.push(`${name}: ${end.code ?? end.signal}`)
        }),
        scope
      )
    })

    const close = Effect.suspend(() => (life === undefined ? Effect.void : Scope.close(life.scope, Exit.void)))

    return Object.assign(runner, {
      start,
      /** `kill -9`. */
      kill: Effect.gen(function* () {
        runner.state = "down"
        if (life === undefined) return
        workers.push(...(yield* life.server.kill))
        yield* close
      }),
      /** SIGTERM, and the wait for its end. */
      stop: Effect.gen(function* () {
        runner.state = "down"
        if (life === undefined) return
        workers.push(...life.server.workers())
        yield* life.server.signal("SIGTERM")
        const end = yield* life.server.ended
        if (end.code !== 0) wrongEnds.push(`${name}, told to stop: ${end.code ?? end.signal}`)
        yield* close
      }),
      freeze: Effect.suspend(() => {
        runner.state = "frozen"
        return life?.server.signal("SIGSTOP") ?? Effect.void
      }),
      thaw: Effect.suspend(() => {
        runner.state = "up"
        return life?.server.signal("SIGCONT") ?? Effect.void
      })
    })
  })

  const all = yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => `runner-${index + 1}`),
    make
  )
  return {
    all,
    up: () => all.filter(({ state }) => state === "up"),
    readings,
    wrongEnds,
    failedStarts: () => failedStarts,
    /** Page workers whose server is gone, and that still run. The system may take a moment to end them. */
    orphans: Effect.gen(function* () {
      const deadline = (yield* Clock.currentTimeMillis) + 5_000
      yield* Effect.repeat(Clock.currentTimeMillis, {
        until: (now) => now > deadline || !workers.some(isAlive),
        schedule: Schedule.spaced("20 millis")
      })
      return workers.filter(isAlive).map(({ pid }) => `process ${pid}`)
    })
  }
})
export type Runners = Effect.Success<ReturnType<typeof makeRunners>>
export type ControlledRunner = Runners["all"][number]
