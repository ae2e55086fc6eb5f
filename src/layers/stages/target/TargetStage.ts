// A document stage that writes what the document became to a folder or a bucket. Its artifact says what it wrote, so that it is
// written once; after a crash in between, the same files are written again, under the same names.
import { Effect } from "effect"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import { Downstreams } from "../../../services/downstreams/Downstreams.ts"
import { downstreamOf } from "../../../services/pipelines/settings/StageDownstreams.ts"
import type { TargetStageSettings } from "../../../services/pipelines/settings/TargetStageSettings.ts"
import type { DocumentInput, DocumentStage, StageFailure } from "../../../services/pipelines/Stage.ts"
import type { FarSideUnavailable } from "../../../services/downstreams/Downstreams.ts"
import { textContent } from "../matter/Answer.ts"
import { type Content, contentOf, pathOf } from "./Contents.ts"
import type { Written } from "./FolderTarget.ts"

/** Writes one file, by its path below the target. */
export type WriteFile = (
  relative: string,
  content: Content
) => Effect.Effect<Written, StageFailure | FarSideUnavailable>

/** The stage of this name. */
export const targetStage = (name: StageName, settings: TargetStageSettings, write: WriteFile): DocumentStage => {
  const { files, maxSize, needs, to, version } = settings
  const downstream = downstreamOf(name, settings)
  const writeAll = Effect.fnUntraced(function* (input: DocumentInput) {
    const written: Array<Written & { readonly mediaType: string }> = []
    for (const file of files) {
      const content = yield* contentOf(input, file, maxSize)
      const one = yield* write(pathOf(file.path, input), content)
      written.push({ ...one, mediaType: content.mediaType })
    }
    return textContent("json", JSON.stringify({ to, files: written }))
  })
  return {
    name,
    version,
    needs,
    downstream,
    kind: "document",
    run: Effect.fnUntraced(function* (input) {
      const downstreams = yield* Downstreams
      const { priority, tenant } = input
      return { content: yield* downstreams.call(downstream, { tenant, priority })(writeAll(input)) }
    })
  }
}
