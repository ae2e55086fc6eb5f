// Three runners of one cluster, as they are shipped: processes of their own over a Postgres that is started for them.
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { Effect, Schedule, Schema } from "effect"
import { freePort, temporaryFolder } from "../peers/processes.ts"
import { startPostgres } from "../peers/services.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

export const runnerCount = 3
export const workersEach = 2

export interface Runner {
  readonly url: string
  readonly pid: number
}

export interface Cluster {
  readonly runners: readonly [Runner, ...ReadonlyArray<Runner>]
  readonly sql: string
}

const startRunner = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>>) {
  const [port, clusterPort] = [yield* freePort, yield* freePort]
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--no-warnings", main], {
        env: { PATH: process.env["PATH"], PORT: String(port), CLUSTER_PORT: String(clusterPort), ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  let output = ""
  yield* Effect.callback<void>((resume) => {
    const listen = (chunk: Buffer) => {
      output = `${output}${chunk.toString()}`.slice(-4_000)
      if (process.env["BENCH_OUTPUT"] !== undefined) process.stderr.write(chunk)
      if (output.includes("Sluice listens on")) resume(Effect.void)
    }
    child.stdout.on("data", listen)
    child.stderr.on("data", listen)
    child.once("exit", () => resume(Effect.die(new Error(`a runner ended:\n${output}`))))
  })
  const runner: Runner = { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 }
  return runner
})

/** They share a database and a folder, as runners on several machines share a database and a bucket. */
export const startCluster = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>>) {
  const postgres = yield* startPostgres
  const folder = yield* temporaryFolder("cluster")
  const sql = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`
  const shared = {
    DATABASE_URL: sql,
    DATA_DIR: folder,
    CLUSTER: "on",
    CLUSTER_TOKEN: randomBytes(32).toString("hex"),
    PAGE_WORKERS: String(workersEach),
    PER_PDF_PAGE_CONCURRENCY: "24",
    QUEUE_MAXSIZE: "100000",
    ...environment
  }
  const first = yield* startRunner(shared)
  const others = yield* Effect.forEach(Array.from({ length: runnerCount - 1 }), () => startRunner(shared), {
    concurrency: "unbounded"
  })
  const cluster: Cluster = { runners: [first, ...others], sql }
  return cluster
})

const Workers = Schema.Struct({ capacity: Schema.Int, workers: Schema.Array(Schema.Struct({ busy: Schema.Boolean })) })
const Accepted = Schema.Struct({ documents: Schema.Tuple([Schema.Struct({ id: Schema.String })]) })
const Status = Schema.Struct({ status: Schema.String })

const ask = <A>(schema: Schema.Decoder<A>, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(path, init)
    return (await response.json()) as unknown
  }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(schema)), Effect.orDie)

/** Workers of the runner that are at work. */
export const busyWorkers = ({ url }: Runner) =>
  Effect.map(ask(Workers, `${url}/v1/workers`), ({ capacity, workers }) =>
    Math.min(capacity, workers.filter(({ busy }) => busy).length)
  )

/** The id of the document. */
export const upload = ({ url }: Runner, tenant: string, bytes: Uint8Array) =>
  Effect.map(
    ask(Accepted, `${url}/v1/documents?force=true`, {
      method: "POST",
      headers: { "content-type": "application/pdf", "x-tenant-id": tenant },
      body: bytes.slice()
    }),
    ({ documents: [{ id }] }) => id
  )

const ended = ["completed", "partial", "failed", "cancelled"]

/** Resolves when the document has ended; asks again and again. */
export const untilEnded = ({ url }: Runner, tenant: string, id: string) =>
  ask(Status, `${url}/v1/documents/${id}`, { headers: { "x-tenant-id": tenant } }).pipe(
    Effect.repeat({ until: ({ status }) => ended.includes(status), schedule: Schedule.spaced("15 millis") })
  )
