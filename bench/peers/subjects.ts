// What is measured: each an HTTP server in a process of its own, with its data in a temporary folder.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { Console, Effect, Schema, type Scope } from "effect"
import { CannotRun, pidOf, run, start, startModule, temporaryFolder, waitForOutput } from "./processes.ts"
import { type Running, startPostgres, startRedis } from "./services.ts"

export interface Subject {
  readonly name: string
  readonly url: string
  readonly isPeer: boolean
  readonly versions: Readonly<Record<string, string>>
  readonly settings: string
  /** Processes that do its work, with all below them. */
  readonly pids: ReadonlyArray<number>
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const here = fileURLToPath(new URL("./", import.meta.url))

const decodeManifest = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))
const versionOf = (folder: string) => decodeManifest(readFileSync(join(folder, "package.json"), "utf8")).version
const versionsOf = (...names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, versionOf(join(here, "node_modules", name))]))

const pdfjs = { "pdfjs-dist": versionOf(join(root, "node_modules/pdfjs-dist")) }

const decodeReady = Schema.decodeUnknownEffect(Schema.Struct({ url: Schema.String }))

/** The peers' packages are not the project's, so they are installed when they are first needed. */
export const installPeers = Effect.gen(function* () {
  if (existsSync(join(here, "node_modules"))) return
  yield* Console.log("npm ci --prefix bench/peers")
  const { ok, output } = yield* run("npm", ["ci", "--no-audit", "--no-fund", "--prefix", here], {
    shell: process.platform === "win32"
  })
  if (!ok) return yield* new CannotRun({ message: `npm ci --prefix bench/peers failed: ${output}` })
})

export interface SluiceOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Of the data; a temporary one when absent. */
  readonly folder?: string
  /** Loaded into its main process before the service; it can be talked to over IPC. */
  readonly preload?: URL
}

/** As it is shipped, with room for every document that is thrown at it, and as silent as Fastify is. */
export const startSluiceWith = Effect.fnUntraced(function* ({ environment = {}, folder, preload }: SluiceOptions) {
  const directory = folder ?? (yield* temporaryFolder("sluice"))
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const preloads = preload === undefined ? [] : ["--import", preload.href]
  const flags = ["--no-warnings", "--max-semi-space-size=16"]
  const child = yield* start(process.execPath, [...flags, ...preloads, join(root, "sluice.js")], {
    stdio: ["ignore", "pipe", "pipe", ...(preload === undefined ? [] : ["ipc" as const])],
    env: {
      ...inherited,
      DATA_DIR: directory,
      PORT: "0",
      QUEUE_MAXSIZE: "1000000",
      LOG_LEVEL: "Warn",
      ...environment
    }
  })
  const url = yield* waitForOutput(child, /listens on (http:\/\/[^\s/"]+)/)
  const own = Object.entries(environment).map(([name, value]) => `, ${name} ${value}`)
  const subject: Subject = {
    name: "Sluice",
    url,
    isPeer: false,
    settings: `as shipped, but for QUEUE_MAXSIZE 1000000, LOG_LEVEL Warn${own.join("")}`,
    versions: { sluice: versionOf(root), effect: versionOf(join(root, "node_modules/effect")), ...pdfjs },
    pids: [pidOf(child)]
  }
  return { subject, child }
})

export const startSluice = Effect.map(startSluiceWith({}), ({ subject }) => subject)

const startPeer = Effect.fnUntraced(function* (
  name: string,
  module: string,
  argument: number,
  settings: string,
  versions: Readonly<Record<string, string>>,
  service: Running,
  ...further: ReadonlyArray<string>
) {
  const folder = yield* temporaryFolder("peer")
  const { message, pid } = yield* startModule(new URL(`./servers/${module}`, import.meta.url), [
    String(service.port),
    folder,
    String(argument),
    ...further
  ])
  const { url } = yield* Effect.orDie(decodeReady(message))
  const subject: Subject = {
    name,
    url,
    isPeer: true,
    settings: `${service.settings}; ${settings}`,
    versions: { ...versionsOf("fastify"), ...versions },
    pids: [service.pid, pid]
  }
  return subject
})

/** pdf.js as its package comes, or with what Sluice's page workers make of it. */
export type Reading = "library" | "quickened"

/** Without `workers` it only accepts. */
export const startBullmq = Effect.fnUntraced(function* (workers: number, reading: Reading = "library") {
  const redis = yield* startRedis
  const versions = { ...versionsOf("bullmq", "ioredis"), redis: redis.version, ...pdfjs }
  const name = reading === "library" ? "BullMQ" : "BullMQ with the pdf.js of Sluice"
  const preload = reading === "library" ? [new URL("./servers/libraryPdfJs.mjs", import.meta.url).href] : []
  return yield* startPeer(name, "bullmq.mjs", workers, `${workers} sandboxed processors`, versions, redis, ...preload)
})

export const startGraphileWorker = Effect.fnUntraced(function* (connections: number) {
  const postgres = yield* startPostgres
  const versions = { ...versionsOf("graphile-worker", "pg"), postgres: postgres.version }
  return yield* startPeer(
    "graphile-worker",
    "graphileWorker.mjs",
    connections,
    `${connections} connections`,
    versions,
    postgres
  )
})

export const startPgBoss = Effect.fnUntraced(function* (connections: number) {
  const postgres = yield* startPostgres
  const versions = { ...versionsOf("pg-boss", "pg"), postgres: postgres.version }
  return yield* startPeer("pg-boss", "pgBoss.mjs", connections, `${connections} connections`, versions, postgres)
})

export interface Tuning {
  /** Processes that read PDFs for BullMQ. */
  readonly workers: number
  /** Connections to Postgres. */
  readonly connections: number
}

export const defaultTuning: Tuning = { workers: availableParallelism(), connections: 20 }

/** Those that can be started here; of the others it is said what they lack. */
export const startAll = Effect.fnUntraced(function* <E>(
  starts: ReadonlyArray<Effect.Effect<Subject, E | CannotRun, Scope.Scope>>
) {
  const subjects: Array<Subject> = []
  for (const start of starts) {
    yield* start.pipe(
      Effect.tap((subject) => {
        const versions = Object.entries(subject.versions).map(([name, version]) => `${name} ${version}`)
        subjects.push(subject)
        return Console.log(`# ${subject.name}: ${versions.join(", ")} (${subject.settings})`)
      }),
      Effect.catchIf(
        (error) => error instanceof CannotRun,
        (error) => Console.log(`# left out: ${error.message}`)
      )
    )
  }
  return subjects
})
