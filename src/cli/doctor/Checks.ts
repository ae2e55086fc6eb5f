import { availableParallelism, freemem, totalmem } from "node:os"
import { ByteSize, Config, Effect } from "effect"
import { DisableAfterConfig } from "../../actors/webhooks/Outbox.ts"
import { AuthConfig } from "../../http/auth/AuthConfig.ts"
import { TrustedProxies } from "../../http/edge/ClientAddress.ts"
import { HttpConfig } from "../../http/edge/HttpConfig.ts"
import { StreamLimitsConfig } from "../../http/live/LiveStreams.ts"
import { MetricsToken } from "../../http/auth/MetricsAccess.ts"
import { BlobsConfig } from "../../layers/blobs/s3/BlobsConfig.ts"
import { DatabaseConfig, StorageConfig, WorkersConfig } from "../../layers/config/Config.ts"
import { SecretKeyConfig } from "../../layers/config/SecretKeyConfig.ts"
import { MinFreeBytes } from "../../layers/folder/DiskReserve.ts"
import { S3SourcesConfig } from "../../layers/s3/S3Sources.ts"
import * as Telemetry from "../../layers/observability/Telemetry.ts"
import { TraceConfig } from "../../layers/recorder/WorkloadRecorder.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { OutboundPolicyConfig } from "../../services/config/OutboundPolicy.ts"
import { overridesFromEnv } from "../../services/TenantRegistry.ts"
import { reasonOf } from "../CommandFailure.ts"
import { checkBucket } from "./Bucket.ts"
import { checkCluster, listen } from "./Cluster.ts"
import { checkClock, checkDatabase } from "./Database.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"
import { checkPipelines } from "./Pipelines.ts"
import { checkSecretKey } from "./SecretKey.ts"
import { sizeOf } from "./Size.ts"
import { checkContents, checkDisk, checkFolder } from "./Storage.ts"
import { checkImages, checkOcr } from "./Ocr.ts"
import { checkSandbox, checkWorker } from "./Worker.ts"

/** Checks what a server needs of a machine. Each check uses the settings like a server and never fails itself. */

const leastNode = [22, 19] as const

export const checkNode = (running: string): Finding => {
  const [major = 0, minor = 0] = running.split(".").map(Number)
  const enough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
  return enough
    ? ok("node", `Node ${running}`)
    : fail("node", `Node ${running} is too old`, `Install Node ${leastNode.join(".")} or newer.`)
}

/** All settings that `serve` reads at its start, so that this check refuses what `serve` would refuse. */
const settings = Config.all({
  auth: AuthConfig,
  blobs: BlobsConfig,
  database: DatabaseConfig,
  http: HttpConfig,
  logFormat: Telemetry.LogFormatConfig,
  logLevel: Telemetry.LogLevelConfig,
  metricsToken: MetricsToken,
  outbound: OutboundPolicyConfig,
  minFree: MinFreeBytes,
  secretKey: SecretKeyConfig,
  sources: S3SourcesConfig,
  storage: StorageConfig,
  streams: StreamLimitsConfig,
  tenants: overridesFromEnv,
  trace: TraceConfig,
  trustedProxies: TrustedProxies,
  webhooks: DisableAfterConfig,
  workers: WorkersConfig
})

export const checkSettings = Effect.gen(function* () {
  const { http, storage } = yield* settings
  yield* Effect.scoped(Effect.provide(EngineConfig, EngineConfig.layerFromEnv))
  yield* Telemetry.exportSettings
  return ok("settings", `DATA_DIR ${storage.directory}, port ${http.port}`)
}).pipe(
  Effect.catch((error) => Effect.succeed(fail("settings", reasonOf(error), "Correct the variable; see the README.")))
)

const mainProcessBytes = 300 * 1024 * 1024

/** Compares the worst-case memory of all processes with the memory of the machine. */
export const checkMemory = (there: number, free: number, workers: number, each: number): Finding => {
  const worst = (workers + 1) * each + mainProcessBytes
  const detail = `${sizeOf(there)}, ${sizeOf(free)} free; ${workers + 1} page workers of ${sizeOf(each)} may take ${sizeOf(worst)}`
  const advice = "Lower PAGE_WORKERS or PAGE_WORKER_MEMORY, or give the machine more memory."
  if (each > there) return fail("memory", detail, advice)
  return worst > there ? warn("memory", detail, advice) : ok("memory", detail)
}

const memory = Effect.gen(function* () {
  const { memory, workers } = yield* WorkersConfig
  // A container's limit counts when it is lower.
  const constrained = process.constrainedMemory()
  const there = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return checkMemory(there, Math.min(freemem(), process.availableMemory()), workers, ByteSize.toNumberUnsafe(memory))
})

const processors = Effect.gen(function* () {
  const { workers } = yield* WorkersConfig
  const count = availableParallelism()
  return workers > 2 * count
    ? warn("processors", `${count}, for ${workers} page workers`, "More workers than processors only take memory.")
    : ok("processors", `${count}, for ${workers} page workers`)
})

const port = Effect.gen(function* () {
  const { host, port } = yield* HttpConfig
  return yield* Effect.match(listen(host, port), {
    onSuccess: () => ok("port", port === 0 ? "any free one" : `${host}:${port} is free`),
    onFailure: ({ code, message }) =>
      code === "EADDRINUSE"
        ? fail("port", `${host}:${port} is taken`, "A server may run there already; otherwise choose another PORT.")
        : fail("port", `${host}:${port}: ${message}`, "Choose another HOST or PORT.")
  })
})

const folder = Effect.flatMap(StorageConfig, ({ directory }) => checkFolder(directory))
const database = Effect.flatMap(DatabaseConfig, checkDatabase)
const clock = Effect.flatMap(DatabaseConfig, checkClock)
const secretKey = Effect.gen(function* () {
  const { directory } = yield* StorageConfig
  const { url } = yield* DatabaseConfig
  return yield* checkSecretKey({ directory, url, given: yield* SecretKeyConfig })
})
const contents = Effect.gen(function* () {
  const { directory } = yield* StorageConfig
  const { url } = yield* DatabaseConfig
  const blobs = yield* BlobsConfig
  return url === undefined
    ? yield* checkContents(directory, blobs !== undefined)
    : ok("originals", "in the folder that belongs to the database; its start compares the two")
})
const disk = Effect.flatMap(StorageConfig, ({ directory }) => checkDisk(directory))
const worker = Effect.flatMap(WorkersConfig, ({ memory, sandbox }) =>
  checkWorker(ByteSize.toNumberUnsafe(memory), sandbox)
)
const sandbox = Effect.flatMap(WorkersConfig, ({ sandbox }) => checkSandbox(sandbox))

const unknown = (name: string) => (error: Error) =>
  Effect.succeed(fail(name, `not checked: ${reasonOf(error)}`, "Correct the settings first."))

export const checks = [
  Effect.sync(() => checkNode(process.versions.node)),
  checkSettings,
  Effect.catch(memory, unknown("memory")),
  Effect.catch(processors, unknown("processors")),
  Effect.catch(folder, unknown("data folder")),
  Effect.catch(database, unknown("database")),
  Effect.catch(clock, unknown("clock")),
  Effect.catch(secretKey, unknown("secret key")),
  Effect.catch(checkCluster, unknown("cluster")),
  checkPipelines,
  Effect.catch(contents, unknown("originals")),
  Effect.catch(disk, unknown("disk")),
  Effect.catch(checkBucket, unknown("bucket")),
  Effect.catch(sandbox, unknown("sandbox")),
  Effect.catch(worker, unknown("page worker")),
  Effect.catch(checkImages, unknown("page images")),
  Effect.catch(checkOcr, unknown("ocr")),
  Effect.catch(port, unknown("port"))
]
