// One run: tenants upload, the server and its page workers are killed, and in the end everything is accounted for.
import { Effect, Exit, Fiber, Schedule, Scope } from "effect"
import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Account, audit } from "./audit.ts"
import { makeClient } from "./client.ts"
import type { Finding } from "./findings.ts"
import { Journal } from "./Journal.ts"
import { kill, type Process } from "./processes.ts"
import { freePort, type ServerProcess, startServer } from "./server.ts"
import { between, makeRandom, nextUpload } from "./workload.ts"

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  /** Documents that wait; above it the tenants pause, so that a run has an end. */
  readonly mostWaiting?: number
  readonly longestPauseMillis?: number
  readonly onProgress?: (text: string) => void
}

export interface Report {
  readonly seed: number
  readonly findings: ReadonlyArray<Finding>
}

const tenants = ["acme", "globex", "initech", "umbrella"]
/** Of the uploads, those that pause half-way, so that kills meet them. */
const slowShare = 0.3
const serverShare = 0.6
/** Of the kills of the server, those that hit the next one while it starts. */
const earlyShare = 0.15

export const runChaos = Effect.fnUntraced(function* (options: ChaosOptions) {
  const say = options.onProgress ?? (() => {})
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-chaos-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const { longestPauseMillis = 5_000, mostWaiting = 60 } = options
  const port = yield* freePort
  const client = makeClient(`http://127.0.0.1:${port}`)
  const journal = new Journal()
  const account: Account = {
    acknowledged: new Map(),
    attempted: new Map(),
    workers: [],
    serverKills: 0,
    workerKills: 0
  }

  let life: Scope.Closeable | undefined
  const startLife = Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    life = scope
    const options = { directory, port, env: { LOG_LEVEL: "Debug" }, onLine: (line: string) => journal.hear(line) }
    return yield* Scope.provide(startServer(options), scope)
  })
  let server: ServerProcess = yield* startLife
  yield* server.listening

  const remember = (workers: ReadonlyArray<Process>) => account.workers.push(...workers)

  const killServer = Effect.gen(function* () {
    remember(yield* server.kill)
    account.serverKills++
    if (life !== undefined) yield* Scope.close(life, Exit.void)
    journal.settle(directory)
    server = yield* startLife
  })

  const killWorker = (choice: number) =>
    Effect.sync(() => {
      const workers = server.workers()
      const victim = workers[Math.floor(choice * workers.length)]
      if (victim === undefined) return false
      remember([victim])
      kill(victim, "SIGKILL")
      account.workerKills++
      return true
    })

  const uploads = (tenant: string, seed: number) =>
    Effect.gen(function* () {
      const random = makeRandom(seed)
      for (let number = 1; ; number++) {
        yield* Effect.sleep(between(random, 20, 300))
        const queue = yield* Effect.option(client.queue)
        if (queue._tag === "None" || queue.value.queue_size > mostWaiting) continue
        const upload = nextUpload(random, tenant, `${tenant}-${number}.pdf`)
        account.attempted.set(upload.name, upload)
        // What is not acknowledged is not tried again as such: the next upload is a new one, and this may exist or not.
        const pause = random() < slowShare ? between(random, 50, 1_500) : 0
        const id = yield* Effect.option(client.upload(upload, { pauseMillis: pause }))
        if (id._tag === "Some") account.acknowledged.set(id.value, upload)
      }
    })

  const kills = Effect.gen(function* () {
    const random = makeRandom(options.seed)
    for (let done = 0; done < options.kills;) {
      yield* Effect.sleep(between(random, 200, longestPauseMillis))
      if (random() < serverShare) {
        yield* killServer
        done++
        if (done < options.kills && random() < earlyShare) {
          yield* Effect.sleep(between(random, 0, 1_200))
          yield* killServer
          done++
        }
        yield* server.listening
      } else if (yield* killWorker(random())) {
        done++
      }
      say(`${done} kills, ${account.acknowledged.size} documents acknowledged`)
    }
  })

  const uploading = yield* Effect.forkChild(
    Effect.forEach(tenants, (tenant, index) => uploads(tenant, options.seed * 1000 + index), {
      concurrency: "unbounded",
      discard: true
    })
  )
  yield* kills
  yield* Fiber.interrupt(uploading)

  say("waiting for the rest")
  yield* client.queue.pipe(
    Effect.repeat({
      until: ({ processing, queue_size }) => processing === 0 && queue_size === 0,
      schedule: Schedule.spaced("200 millis")
    })
  )

  say("auditing")
  const findings = yield* audit({ account, client, directory, journal, server, tenants })
  const report: Report = { seed: options.seed, findings }
  return report
}, Effect.scoped)
