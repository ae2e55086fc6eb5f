/**
 * A page that goes through two stages which give it text has no result until the second has ended. What the first has read is
 * kept meanwhile as an artifact of the reading itself, so that no run repeats it: the page as that stage left it.
 */
import { Effect, Option, Schema } from "effect"
import { PageStatus, type PageResult } from "../../../domain/document/Page.ts"
import { Warnings } from "../../../domain/document/Warning.ts"
import { readingStage, type StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import type { StageContent } from "../../../services/pipelines/Stage.ts"
import type { StoredArtifacts } from "./StoredArtifacts.ts"
import type { MadeArtifact } from "./WriteArtifacts.ts"

const Kept = Schema.fromJsonString(
  Schema.Struct({
    number: Schema.Natural,
    status: PageStatus,
    width: Schema.Finite,
    height: Schema.Finite,
    rotation: Schema.Finite,
    text: Schema.String,
    lines: Schema.String,
    layout: Schema.optionalKey(Schema.Uint8ArrayFromBase64),
    warnings: Warnings,
    elapsedMillis: Schema.Finite
  })
)

const encode = Schema.encodeEffect(Kept)
const decode = Schema.decodeUnknownOption(Kept)

/** A later attempt's reading stands for the earlier ones, which belong to an artifact that was removed. */
const versionOf = (attempt: number, stage: StageName) =>
  StageVersion.make(`${attempt}.${stage}`.slice(0, 64), { disableChecks: true })

/** What the stage has left of the page. */
export const keptReading = Effect.fnUntraced(function* (page: PageResult, stage: StageName, attempt: number) {
  const { elapsedMillis, height, layout, lines, number, rotation, status, text, warnings, width } = page
  const optional = { ...(layout === undefined ? {} : { layout }), ...(warnings === undefined ? {} : { warnings }) }
  const kept = { number, status, width, height, rotation, text, lines, elapsedMillis, ...optional }
  const made: MadeArtifact = {
    page: number,
    stage: readingStage,
    version: versionOf(attempt, stage),
    status: "done",
    mediaType: "application/json",
    content: new TextEncoder().encode(yield* Effect.orDie(encode(kept))),
    elapsedMillis: 0
  }
  return made
})

const readingOf = ({ bytes }: StageContent, source: StageName): Option.Option<PageResult> =>
  Option.map(decode(new TextDecoder().decode(bytes)), (kept) => ({ ...kept, error: undefined, source }))

/** The page as the stage left it in an earlier run. */
export const readKept = Effect.fnUntraced(function* (stored: StoredArtifacts, page: number, stage: StageName) {
  const attempts = stored
    .readings(page)
    .filter((version) => version === versionOf(Number.parseInt(version, 10), stage))
    .toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
  const newest = attempts[0]
  if (newest === undefined) return Option.none<PageResult>()
  // One that is lost is read again.
  const content = yield* Effect.catchTag(
    stored.content(page, readingStage, newest),
    "StageError",
    () => Effect.succeedNone
  )
  return Option.flatMap(content, (found) => readingOf(found, stage))
})
