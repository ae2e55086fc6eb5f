// The stage `chunk`: the document in chunks, one as a line of JSON each.
import { type Context, Effect } from "effect"
import type { Chunk } from "../../../domain/chunk/Chunk.ts"
import { StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { ChunkingShape } from "../../../services/chunks/Chunking.ts"
import { type DocumentInput, type DocumentStage, StageError } from "../../../services/pipelines/Stage.ts"
import type { Documents } from "../../../services/store/Documents.ts"

export const chunkStageName = StageName.make("chunk")

/** Changes when the same document is divided in another way. */
const rules = "1"

/** Runs the step for every portion of pages, in order. */
const forPages = Effect.fnUntraced(function* <E, R>(
  { pages }: DocumentInput,
  step: (some: ReadonlyArray<PageResult>) => Effect.Effect<void, E, R>
) {
  for (let from = 1; ;) {
    const some = yield* pages(from)
    const last = some.at(-1)
    if (last === undefined) return
    for (const page of some) yield* step([page])
    from = last.number + 1
  }
})

const lineOf = (chunk: Chunk): string => `${JSON.stringify(chunk)}\n`

export const chunkStage = (
  chunking: ChunkingShape,
  documents: Context.Service.Shape<typeof Documents>,
  tokens: number
): DocumentStage => ({
  kind: "document",
  name: chunkStageName,
  version: StageVersion.make(`${rules}-${chunking.tokenizer}-${tokens}`),
  needs: [],
  run: (input) =>
    Effect.gen(function* () {
      const known = yield* documents
        .find(input.tenant, input.document, "outline")
        .pipe(Effect.catchTag("DocumentNotFound", (error) => Effect.fail(StageError.of("STAGE_FAILED", error.message))))
      const job = yield* chunking.open({ document: known.blob ?? known.id, tokens })
      yield* forPages(input, job.see)
      yield* job.seen(known.outline ?? [])
      const lines: Array<string> = []
      yield* forPages(input, (some) =>
        Effect.map(job.divide(some), (chunks) => {
          for (const chunk of chunks) lines.push(lineOf(chunk))
        })
      )
      for (const chunk of yield* job.end) lines.push(lineOf(chunk))
      return { content: { mediaType: "application/x-ndjson", bytes: Buffer.from(lines.join("")) } }
    }).pipe(
      Effect.catchTag("ChunkingUnavailable", (error) =>
        Effect.fail(StageError.of("STAGE_FAILED", error.message, true))
      ),
      Effect.scoped
    )
})
