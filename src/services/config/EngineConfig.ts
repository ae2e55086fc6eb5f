import { ByteSize, Config, Context, Duration, Layer } from "effect"
import { byteSize, count, duration } from "./ConfigValues.ts"

/** The limits and bounds of one engine. Every field has a default that suits a small machine. */
export interface EngineLimits {
  /** Documents open at once, over all tenants: the global gate. */
  readonly globalDocuments: number
  /** Documents open at once for one tenant, unless the registry says otherwise: the tenant gate. */
  readonly tenantDocuments: number
  /** Pages of one document being read at once: the page gate. */
  readonly documentPages: number
  /** Documents that may wait, for one tenant and over all. Beyond it a submission is refused. */
  readonly queueSize: number
  /** Bytes kept of one tenant's documents, unless the registry says otherwise; without bound when absent. */
  readonly tenantStoredBytes: ByteSize.ByteSize | undefined
  /** Bytes of one upload. */
  readonly uploadSize: ByteSize.ByteSize
  /** Bytes of what one stage makes of one page or document. */
  readonly artifactSize: ByteSize.ByteSize
  /** Bytes of all uploads that are not committed yet, and of those of one tenant. An upload alone may exceed them. */
  readonly bytesInFlight: ByteSize.ByteSize
  readonly tenantBytesInFlight: ByteSize.ByteSize
  /** Pages of one document; a file that claims more is refused before anything is read. */
  readonly pages: number
  /** Worker time of one page. */
  readonly pageTimeout: Duration.Duration
  /** Run time of one document; waiting for gates and for turns does not count. */
  readonly documentTimeout: Duration.Duration
  /** How long a runner may be silent before its documents go back to their queues. */
  readonly lease: Duration.Duration
  /** How long a change of a tenant's limits by another process may take to be seen here. */
  readonly limitsRefresh: Duration.Duration
  /** How long pages and submissions in flight may take to end when the engine is stopped. */
  readonly shutdownGrace: Duration.Duration
  /** How long a document may wait for its first run before it fails as `EXPIRED`; without bound when absent. */
  readonly queueTtl: Duration.Duration | undefined
  /** How long a document is kept after its end; until it is removed when absent. */
  readonly retention: Duration.Duration | undefined
  /** An actor with nothing to do for this long is stopped; it is started again when needed. */
  readonly tenantIdle: Duration.Duration
  /** Messages a tenant's mailbox holds before senders wait. */
  readonly mailboxCapacity: number
}

export const defaultLimits: EngineLimits = {
  globalDocuments: 8,
  tenantDocuments: 2,
  documentPages: 6,
  queueSize: 10_000,
  tenantStoredBytes: undefined,
  uploadSize: ByteSize.mebibytes(200),
  artifactSize: ByteSize.mebibytes(64),
  bytesInFlight: ByteSize.gibibytes(1),
  tenantBytesInFlight: ByteSize.mebibytes(512),
  pages: 20_000,
  pageTimeout: Duration.seconds(30),
  documentTimeout: Duration.minutes(30),
  lease: Duration.seconds(10),
  limitsRefresh: Duration.seconds(2),
  shutdownGrace: Duration.seconds(20),
  queueTtl: undefined,
  retention: undefined,
  tenantIdle: Duration.minutes(5),
  mailboxCapacity: 64
}

const bytesInFlight = byteSize("MAX_BYTES_IN_FLIGHT").pipe(Config.withDefault(defaultLimits.bytesInFlight))
const half = (size: ByteSize.ByteSize) => ByteSize.bytes(Math.ceil(ByteSize.toNumberUnsafe(size) / 2))

const limits: Config.Config<EngineLimits> = Config.all({
  globalDocuments: count("GLOBAL_PDF_CONCURRENCY", 10_000).pipe(
    Config.withDefault(undefined),
    Config.flatMap((own) => (own === undefined ? count("MAX_CONCURRENT_JOBS", 10_000) : Config.succeed(own))),
    Config.withDefault(defaultLimits.globalDocuments)
  ),
  tenantDocuments: count("PER_TENANT_PDF_CONCURRENCY", 10_000).pipe(Config.withDefault(defaultLimits.tenantDocuments)),
  documentPages: count("PER_PDF_PAGE_CONCURRENCY", 1_000).pipe(Config.withDefault(defaultLimits.documentPages)),
  queueSize: count("QUEUE_MAXSIZE").pipe(Config.withDefault(defaultLimits.queueSize)),
  tenantStoredBytes: byteSize("PER_TENANT_STORED_BYTES").pipe(Config.withDefault(undefined)),
  uploadSize: byteSize("MAX_UPLOAD_SIZE").pipe(Config.withDefault(defaultLimits.uploadSize)),
  artifactSize: byteSize("MAX_ARTIFACT_SIZE").pipe(Config.withDefault(defaultLimits.artifactSize)),
  bytesInFlight,
  tenantBytesInFlight: byteSize("PER_TENANT_BYTES_IN_FLIGHT").pipe(
    Config.withDefault(undefined),
    Config.flatMap((own) => (own === undefined ? Config.map(bytesInFlight, half) : Config.succeed(own)))
  ),
  pages: count("MAX_PAGES").pipe(Config.withDefault(defaultLimits.pages)),
  pageTimeout: duration("PAGE_TIMEOUT").pipe(Config.withDefault(defaultLimits.pageTimeout)),
  queueTtl: duration("QUEUE_TTL").pipe(Config.withDefault(undefined)),
  retention: duration("RETENTION").pipe(Config.withDefault(undefined)),
  documentTimeout: duration("DOCUMENT_TIMEOUT").pipe(Config.withDefault(defaultLimits.documentTimeout)),
  limitsRefresh: duration("TENANT_LIMITS_REFRESH").pipe(Config.withDefault(defaultLimits.limitsRefresh)),
  shutdownGrace: duration("SHUTDOWN_GRACE").pipe(Config.withDefault(defaultLimits.shutdownGrace))
}).pipe(Config.map((configured) => ({ ...defaultLimits, ...configured })))

/** The engine's limits, as a service: from the environment (`layerFromEnv`), or as given (`layer`). */
export class EngineConfig extends Context.Service<EngineConfig, EngineLimits>()("sluice/services/config/EngineConfig") {
  static readonly layer = (overrides: Partial<EngineLimits> = {}) =>
    Layer.succeed(EngineConfig, { ...defaultLimits, ...overrides })
  static readonly layerFromEnv = Layer.effect(EngineConfig, limits)
}
