// Stages made of settings.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Result, Schema } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { StageName } from "../../domain/pipeline/Pipeline.ts"
import type { StageSettings, StagesRecord } from "../../services/pipelines/settings/StageSettings.ts"
import type { TargetStageSettings } from "../../services/pipelines/settings/TargetStageSettings.ts"
import type { Stage } from "../../services/pipelines/Stage.ts"
import { BlobsPlaceConfig } from "../blobs/s3/BlobsConfig.ts"
import { layerHttp, makeBucket } from "../s3/Bucket.ts"
import { AccessConfig, parsePlace, type S3Place } from "../s3/S3Settings.ts"
import { commandStage } from "./command/CommandStage.ts"
import { makeDirectories } from "./command/Directories.ts"
import { findTools, wallsFor } from "./command/Tools.ts"
import { httpStage } from "./http/HttpStage.ts"
import { drawPages } from "./matter/Draw.ts"
import { makeBucketTarget } from "./target/BucketTarget.ts"
import { makeFolderTarget } from "./target/FolderTarget.ts"
import { targetStage } from "./target/TargetStage.ts"

/** A stage cannot be used here as its settings say. */
export class StageUnusable extends Schema.TaggedError<StageUnusable>()("StageUnusable", {
  stage: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `stages.${this.stage}: ${this.detail}`
  }
}

/** What all commands share: tried out, and made, when the first stage needs it. */
const makeCommands = Effect.gen(function* () {
  const directory = yield* makeDirectories()
  const tools = yield* findTools(directory)
  if (tools.noWalls !== undefined) {
    yield* Effect.logWarning(`bubblewrap does not work here (${tools.noWalls}): commands run under limits alone`)
  }
  return { directory, tools, spawner: yield* ChildProcessSpawner.ChildProcessSpawner }
})

const isWithin = ({ bucket, prefix }: S3Place, originals: S3Place | undefined): boolean =>
  originals !== undefined &&
  bucket === originals.bucket &&
  (originals.prefix === "" || prefix === originals.prefix || prefix.startsWith(`${originals.prefix}/`))

/** Where the target writes. What lies among the originals would be taken for one. */
const writerOf = Effect.fnUntraced(function* (stage: StageName, { to }: TargetStageSettings) {
  if (to.startsWith("/")) return yield* makeFolderTarget(to)
  const place = parsePlace(to)
  if (Result.isFailure(place)) return yield* new StageUnusable({ stage, detail: `to: ${place.failure}` })
  if (isWithin(place.success, yield* BlobsPlaceConfig)) {
    return yield* new StageUnusable({ stage, detail: "to: originals are kept there (BLOBS); name another prefix" })
  }
  const http = yield* Layer.build(layerHttp)
  const bucket = yield* Effect.provide(makeBucket(yield* AccessConfig, place.success.bucket, "once"), http)
  return makeBucketTarget(place.success, bucket)
})

/**
 * The stages of these settings, usable as long as the scope lasts. Fails when a command, a target or a secret that they need is not
 * to be had here.
 */
export const stagesFrom = Effect.fnUntraced(
  function* (stages: StagesRecord) {
    const draw = yield* drawPages
    const commands = yield* Effect.cached(makeCommands)
    const make = Effect.fnUntraced(function* (name: StageName, settings: StageSettings) {
      switch (settings.type) {
        case "http":
          return yield* httpStage(name, settings, draw)
        case "command": {
          const { tools, ...parts } = yield* Effect.mapError(
            commands,
            ({ message }) => new StageUnusable({ stage: name, detail: message })
          )
          const isWalled = yield* wallsFor(name, settings.sandbox, tools)
          return commandStage(name, settings, isWalled, { ...parts, draw })
        }
        case "target":
          return targetStage(name, settings, yield* writerOf(name, settings))
      }
    })
    const made: Array<Stage> = []
    for (const [name, settings] of Object.entries(stages)) made.push(yield* make(StageName.make(name), settings))
    return made
  },
  (effect) => Effect.provide(effect, NodeServices.layer)
)
