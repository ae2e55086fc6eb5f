import { Schema } from "effect"
import { PageNumber } from "../document/Page.ts"
import { examples } from "../Examples.ts"
import { Failure, failure } from "../Failure.ts"
import { StageName, StageVersion } from "./Pipeline.ts"

/**
 * `done`: there is content. `skipped`: an optional stage did not run, or failed; the rest went on without it. `failed`: a
 * required stage failed for good. Both carry an error, and a retry makes them anew.
 */
export const ArtifactStatus = Schema.Literals(["done", "skipped", "failed"])
export type ArtifactStatus = typeof ArtifactStatus.Type

/** What a stage made of a page, or of the whole document when `page` is absent; without its content. */
export const Artifact = Schema.Struct({
  page: Schema.optionalKey(PageNumber),
  stage: StageName,
  version: StageVersion,
  status: ArtifactStatus,
  mediaType: Schema.String.annotate({ description: "Of its content: `application/json`, `text/markdown`, …" }),
  size: Schema.Natural.annotate({ description: "Bytes of its content; 0 unless `done`." }),
  error: Schema.optionalKey(Failure),
  elapsedMillis: Schema.Finite.annotate({ description: "From the begin of the stage to its end, waiting included." }),
  createdAt: Schema.DateTimeUtcFromString
}).pipe(
  Schema.annotate({ identifier: "Artifact" }),
  examples(
    {
      page: 3,
      stage: "ocr",
      version: "1",
      status: "done",
      mediaType: "application/json",
      size: 18_204,
      elapsedMillis: 2_310,
      createdAt: "2026-12-01T08:00:00.000Z"
    },
    {
      stage: "summary",
      version: "2",
      status: "failed",
      mediaType: "application/json",
      size: 0,
      error: failure("STAGE_FAILED", "the stage summary: the answer is not JSON"),
      elapsedMillis: 840,
      createdAt: "2026-12-01T08:00:02.000Z"
    }
  )
)
export interface Artifact extends Schema.Schema.Type<typeof Artifact> {}
