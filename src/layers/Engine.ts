import { ByteSize, type Config, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Engine from "../actors/Engine.ts"
import * as Outbox from "../actors/webhooks/Outbox.ts"
import { requireOneEffect } from "../domain/EffectCopy.ts"
import type { PipelineName } from "../domain/pipeline/Pipeline.ts"
import { ApiKeys } from "../services/apiKeys/ApiKeys.ts"
import * as ApiKeysMemory from "../services/apiKeys/ApiKeysMemory.ts"
import * as BlobStoreMemory from "../services/BlobStoreMemory.ts"
import * as StoreMemory from "../services/store/memory/StoreMemory.ts"
import { RoleConfig } from "../services/config/RoleConfig.ts"
import { EngineConfig, type EngineLimits } from "../services/config/EngineConfig.ts"
import { Events } from "../services/Events.ts"
import * as SecretsMemory from "../services/secrets/SecretsMemory.ts"
import * as OutboundPolicy from "../services/config/OutboundPolicy.ts"
import { StorageHealth as Health } from "../services/StorageHealth.ts"
import { type TenantOverrides, TenantRegistry } from "../services/TenantRegistry.ts"
import { DownstreamsConfig } from "../services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../services/downstreams/DownstreamSettings.ts"
import * as ChunkingThread from "./chunks/ChunkingThread.ts"
import * as PipelineDeclarations from "../services/pipelines/PipelineDeclarations.ts"
import type { PipelineDeclaration } from "../services/pipelines/PipelineDeclarations.ts"
import { withOwnDownstreams } from "../services/pipelines/settings/StageDownstreams.ts"
import { decodeStages, type StagesWritten } from "../services/pipelines/settings/StageSettings.ts"
import type { Stage } from "../services/pipelines/Stage.ts"
import * as Search from "./search/SearchLayers.ts"
import { localDownstreams } from "./config/OcrConfig.ts"
import * as DownstreamHttp from "./net/DownstreamHttp.ts"
import * as CallbackSender from "./net/CallbackSender.ts"
import { clusterSettings, type ClusterUnusable } from "./config/ClusterConfig.ts"
import { DatabaseConfig, StorageConfig, WorkersConfig } from "./config/Config.ts"
import { SecretKeyConfig } from "./config/SecretKeyConfig.ts"
import { holdDataDirectory } from "./folder/DataDirectory.ts"
import { originalsFromEnv } from "./blobs/Originals.ts"
import * as FileBytes from "./blobs/FileBytes.ts"
import * as DiskReserve from "./folder/DiskReserve.ts"
import { checkFolder, databasePath } from "./folder/FolderCheck.ts"
import * as FullDisk from "./folder/FullDisk.ts"
import * as NoWorkers from "./pdf/NoWorkers.ts"
import { defaultSettings, makeOcrStages, ocrPipeline, type OcrSettings } from "./ocr/OcrStages.ts"
import * as PageImagesLive from "./pdf/images/PageImagesLive.ts"
import * as PdfEngine from "./pdf/PdfEngine.ts"
import * as Pipelines from "./Pipelines.ts"
import * as Secrets from "./SecretKeyFile.ts"
import * as Sources from "./net/Sources.ts"
import { stagesFrom } from "./stages/StagesFrom.ts"
import { s3SourcesFromEnv } from "./s3/S3Sources.ts"
import type * as PostgresStorage from "./postgres/PostgresStorage.ts"
import { refuseFolderOfPostgres } from "./postgres/storage/FolderMark.ts"
import * as FolderIdentity from "./sqlite/database/FolderIdentity.ts"
import * as Inventory from "./sqlite/database/Inventory.ts"
import { register } from "./sqlite/KnownBlobs.ts"
import { keyRecord } from "./sqlite/keys/SealingKey.ts"
import * as SqliteApiKeys from "./sqlite/SqliteApiKeys.ts"
import * as SqliteBlobStore from "./sqlite/SqliteBlobStore.ts"
import * as SqliteStore from "./sqlite/SqliteStore.ts"
import * as SqliteTenantRegistry from "./sqlite/SqliteTenantRegistry.ts"
import * as StorageHealth from "./folder/StorageHealth.ts"
import * as Trace from "./recorder/WorkloadRecorder.ts"

/** Runs first, in the program's own fiber: everything after it runs in fibers of this package's effect. */
const oneEffect = Layer.effectDiscard(requireOneEffect)

const fetchTimeout = "2 minutes"

export interface MemoryOptions {
  readonly limits?: Partial<EngineLimits>
  readonly tenants?: TenantOverrides
  /** Processes that read PDFs; as many as there are processors when absent. */
  readonly workers?: number
  /** What stages call outside of the engine, by name, as `PIPELINES_FILE` has it. */
  readonly downstreams?: DownstreamsWritten
  /** Steps of work of one's own, by which `pipelines` may go; documents name their pipeline. */
  readonly stages?: ReadonlyArray<Stage>
  /** Stages that are made of settings, by name, as `PIPELINES_FILE` has them. */
  readonly stageSettings?: StagesWritten
  readonly pipelines?: ReadonlyArray<PipelineDeclaration>
  /** The pipeline of documents that name none; `text` when absent. */
  readonly pipeline?: PipelineName
  /** How the pipeline `ocr` recognises text; with the engine that is installed when absent. */
  readonly ocr?: Partial<OcrSettings>
  /** How pages are drawn. */
  readonly images?: Partial<PageImagesLive.PageImagesOptions>
}

/** The pipelines of the options, and `ocr` where it can be had. */
const layerPipelines = ({ ocr, pipeline, pipelines = [], stageSettings = {}, stages = [] }: MemoryOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const builtIn = yield* makeOcrStages({ ...defaultSettings, ...ocr }, true)
      const made = yield* stagesFrom(yield* decodeStages(stageSettings))
      return PipelineDeclarations.layer(
        withBuiltIn([...stages, ...made], builtIn),
        withBuiltIn(pipelines, builtIn.length > 0 ? [ocrPipeline] : []),
        pipeline
      )
    })
  )

/** What a program declares counts, and else what is built in. */
const withBuiltIn = <A extends { readonly name: string }>(declared: ReadonlyArray<A>, builtIn: ReadonlyArray<A>) => [
  ...builtIn.filter(({ name }) => !declared.some((own) => own.name === name)),
  ...declared
]

/** The downstreams of the options, those that stages have of their own, and those that are built in. */
const layerDownstreams = ({ downstreams, ocr, stageSettings = {} }: MemoryOptions) =>
  Layer.effect(
    DownstreamsConfig,
    Effect.gen(function* () {
      const local = localDownstreams({ images: true, ocr: ocr?.processes ?? defaultSettings.processes })
      return withOwnDownstreams(
        yield* decodeStages(stageSettings),
        yield* decodeDownstreams({ ...local, ...downstreams })
      )
    })
  )

/** Documents, pages and blobs in memory, over these downstreams and pipelines. */
const layerMemoryOver = <E, E2, R, R2>(
  options: MemoryOptions,
  downstreams: Layer.Layer<never, E, R>,
  pipelines: Layer.Layer<never, E2, R2>
) =>
  Layer.mergeAll(Engine.layer, Outbox.layer, ApiKeysMemory.layerMemory).pipe(
    Layer.provideMerge(PdfEngine.layer(options.workers === undefined ? {} : { workers: options.workers })),
    Layer.provide([
      BlobStoreMemory.layerMemory,
      SecretsMemory.layerMemory,
      Sources.layer({ inbox: undefined, fetchTimeout }),
      Events.layer(),
      CallbackSender.layer
    ]),
    Layer.provide(ChunkingThread.layer("o200k")),
    Layer.provideMerge(pipelines),
    Layer.provideMerge([DownstreamHttp.layer, PageImagesLive.layer(options.images)]),
    Layer.provide(downstreams),
    Layer.provide([StoreMemory.layerMemory, SecureRandom.layerWebCrypto]),
    Layer.provide(TenantRegistry.layer(options.tenants)),
    Layer.provide(EngineConfig.layer(options.limits)),
    Layer.provide(oneEffect)
  )

/** Documents, pages and blobs in memory, for embedding and for tests. What it accepts is lost with the process. */
export const layerMemory = (options: MemoryOptions = {}) =>
  layerMemoryOver(options, layerDownstreams(options), layerPipelines(options))

/** The same with the stages and pipelines of the environment, as a service has them. */
export const layerMemoryFromEnv = (options: Pick<MemoryOptions, "limits"> = {}) =>
  layerMemoryOver(options, Pipelines.layerDownstreams, Pipelines.layer)

/** Pages may wait a little, to be committed together. */
const layerDatabase = (directory: string) =>
  SqliteStore.layerDatabase({ filename: databasePath(directory), batchInterval: "20 millis" })

/**
 * Everything durable below `DATA_DIR`: the database, the blobs (unless `BLOBS` names another place) and the key that seals
 * passwords (unless it is given). Only this process holds the folder, so it takes over the leases that it finds.
 */
const layerFolder = Layer.unwrap(
  Effect.gen(function* () {
    const { directory } = yield* StorageConfig
    yield* refuseFolderOfPostgres(directory)
    yield* holdDataDirectory(directory)
    const reserve = yield* DiskReserve.make(directory, yield* DiskReserve.MinFreeBytes)
    const found = yield* checkFolder(directory)
    const originals = yield* originalsFromEnv(directory)
    const large = Layer.unwrap(Effect.map(register, originals.layer))
    // One after the other: each brings the tables of the one database up to date.
    const given = yield* SecretKeyConfig
    const secrets = Layer.unwrap(Effect.map(keyRecord, (record) => Secrets.layer({ directory, given, record })))
    const records = SqliteTenantRegistry.layerNoDepsFromEnv.pipe(
      Layer.provideMerge(SqliteApiKeys.layerNoDepsFromEnv),
      Layer.provideMerge(SqliteStore.layerTakingOver),
      Layer.merge(Layer.provide(SqliteBlobStore.layerNoDeps, large)),
      (stores) => Layer.provideMerge(FullDisk.layer(reserve), stores),
      Layer.merge(secrets),
      Layer.merge(originals.folder === undefined ? Layer.empty : Inventory.layer(originals.folder)),
      Layer.provideMerge(StorageHealth.layer(originals.folder ?? directory, reserve, originals.tryBucket)),
      Layer.provide(FolderIdentity.layer(directory, found)),
      Layer.provide(layerDatabase(directory))
    )
    return records
  })
)

type Postgres = ReturnType<typeof PostgresStorage.layer>
type Storage = Layer.Layer<
  Layer.Success<typeof layerFolder>,
  Layer.Error<typeof layerFolder> | Layer.Error<Postgres>,
  EngineConfig
>

/** In Postgres if `DATABASE_URL` names a database, whose client is then loaded, else in the folder alone. */
export const layerStorage = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Storage, Config.ConfigError | ClusterUnusable> {
    const { connections, url } = yield* DatabaseConfig
    if (url === undefined) return layerFolder
    const { layer } = yield* Effect.promise(() => import("./postgres/PostgresStorage.ts"))
    return layer({ url, connections, clustered: (yield* clusterSettings) !== undefined })
  })
)

const layerWorkers = Layer.unwrap(
  Effect.gen(function* () {
    const { layout, memory, sandbox, workers } = yield* WorkersConfig
    if ((yield* RoleConfig) === "api") return NoWorkers.layer
    return PdfEngine.layer({ workers, sandbox, memoryBytes: ByteSize.toNumberUnsafe(memory), layout: layout === "on" })
  })
)

const layerSources = Layer.unwrap(
  Effect.gen(function* () {
    const { inbox } = yield* StorageConfig
    return Sources.layer({ inbox, fetchTimeout, s3: yield* s3SourcesFromEnv(fetchTimeout) })
  })
)

/** The storage's API keys, for a program that serves the engine to others. */
const layerApiKeys = Layer.effect(ApiKeys, ApiKeys)
const layerHealth = Layer.effect(Health, Health)

const layerAlone = Layer.merge(Engine.layer, Outbox.layerFromEnv)

type Alone = typeof layerAlone
type Clustered = Layer.Layer<Layer.Success<Alone>, Layer.Error<Alone> | ClusterUnusable, Layer.Services<Alone>>

/** The engine of one process, or one runner of a cluster, whose modules are then loaded. */
const layerEngine = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Clustered, Config.ConfigError | ClusterUnusable> {
    const settings = yield* clusterSettings
    if (settings === undefined) return layerAlone
    const { layer } = yield* Effect.promise(() => import("./cluster/Cluster.ts"))
    return layer(settings)
  })
)

/** The engine as a service runs it, configured by the environment. */
export const layer = Layer.mergeAll(
  Layer.provideMerge(Search.layerFromEnv, layerEngine),
  layerApiKeys,
  layerHealth
).pipe(
  Layer.provideMerge(Pipelines.layer),
  Layer.provide([Search.layerIndexFromEnv, Search.layerEmbedderFromEnv]),
  Layer.provideMerge([DownstreamHttp.layer, PageImagesLive.layerFromEnv]),
  Layer.provide(ChunkingThread.layerFromEnv),
  Layer.provide(Pipelines.layerDownstreams),
  Layer.provideMerge(Trace.layer),
  Layer.provideMerge(layerWorkers),
  Layer.provide([
    FileBytes.layer,
    layerStorage,
    layerSources,
    CallbackSender.layer,
    Events.layer(),
    SecureRandom.layerWebCrypto
  ]),
  Layer.provide(OutboundPolicy.layerFromEnv),
  Layer.provide(EngineConfig.layerFromEnv),
  Layer.provide(oneEffect)
)
