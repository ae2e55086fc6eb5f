// Runs the engine in virtual time with the recorder around it, over workers that follow a script.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ByteSize, Clock, Context, Effect, Layer, Metric, Stream } from "effect"
import * as Engine from "../../src/actors/Engine.ts"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { failure } from "../../src/domain/Failure.ts"
import { type DocumentId, TenantId } from "../../src/domain/Ids.ts"
import * as Trace from "../../src/layers/recorder/WorkloadRecorder.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig, type EngineLimits } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import type { PdfRef } from "../../src/services/PdfEngine.ts"
import { makeScriptedEngine, type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { SourceRefused, Sources } from "../../src/services/Sources.ts"
import { type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { inVirtualTime, layerIds, letPass } from "../../bench/whatif/VirtualTime.ts"
import { bytesOf } from "../support/engine.ts"

export const gold = TenantId.make("gold")
export const iron = TenantId.make("iron.v2")

export interface Plan {
  readonly at: number
  readonly tenant: TenantId
  readonly script: string
  readonly priority?: number
  readonly cancelAfter?: number
}

export interface RunOptions {
  readonly file: string
  readonly scripts: Readonly<Record<string, ScriptedDocument>>
  readonly plans: ReadonlyArray<Plan>
  readonly tenants?: TenantOverrides
  readonly limits?: Partial<EngineLimits>
  readonly workers?: number
  readonly bytes?: number
}

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-trace-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const noSources = Layer.succeed(Sources, {
  resolve: (text) => Effect.fail(new SourceRefused({ failure: failure("SOURCE_REFUSED", `${text} is not allowed`) })),
  readFile: () => Stream.empty,
  fetch: () => Stream.empty
})

const nameOf = ({ location }: PdfRef): string =>
  location._tag === "Bytes" ? (new TextDecoder().decode(location.bytes).split(" ")[1] ?? "") : ""

/** Records until everything has ended and the engine was stopped. */
export const recordRun = (options: RunOptions) =>
  inVirtualTime(
    Effect.gen(function* () {
      const scripts = new Map(Object.entries(options.scripts))
      const reader = makeScriptedEngine((pdf) => scripts.get(nameOf(pdf)) ?? soundDocument(1), {
        capacity: options.workers ?? 2
      })
      const context = yield* Layer.build(
        Engine.layer.pipe(
          Layer.provide(Trace.layerTo({ file: options.file, limit: ByteSize.bytes(options.bytes ?? 100_000_000) })),
          Layer.provide([
            reader.layer,
            StoreMemory.layerMemory,
            BlobStoreMemory.layerMemory,
            SecretsMemory.layerMemory,
            Events.layer(),
            layerIds,
            noSources,
            Layer.succeed(Metric.MetricRegistry, new Map()),
            TenantRegistry.layer(options.tenants)
          ]),
          Layer.provide(EngineConfig.layer(options.limits))
        )
      )
      const ingestion = Context.get(context, Ingestion)
      const ids: Array<readonly [TenantId, DocumentId]> = []
      const play = Effect.fnUntraced(function* ({ at, cancelAfter, priority, script, tenant }: Plan) {
        yield* Effect.sleep(at)
        const { id } = yield* ingestion.submit(tenant, Stream.make(bytesOf(script)), {
          name: "a confidential name.pdf",
          force: true,
          priority
        })
        ids.push([tenant, id])
        if (cancelAfter === undefined) return
        yield* Effect.sleep(cancelAfter)
        yield* ingestion.cancel(tenant, id)
      })
      const playing = yield* Effect.forkChild(
        Effect.forEach(options.plans, play, { concurrency: "unbounded", discard: true }),
        { startImmediately: true }
      )
      const finished = Effect.map(ingestion.queueStatus(), ({ running, waiting }) => running + waiting === 0)
      while (playing.pollUnsafe() === undefined || !(yield* finished)) yield* letPass(1_000)
      const statuses = yield* Effect.forEach(ids, ([tenant, id]) =>
        Effect.map(ingestion.status(tenant, id), ({ status }) => status)
      )
      return { statuses, millis: yield* Clock.currentTimeMillis }
    }).pipe(Effect.orDie)
  )
