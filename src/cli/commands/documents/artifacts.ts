import { Console, Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SluiceClient, StageName, StageVersion } from "../../../client.ts"
import { ArtifactView } from "../../../http/api/pipelines/Artifacts.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection, documentId } from "../../Connection.ts"
import { Json, printJson } from "../../Json.ts"
import { outFlag, writeOut } from "../../Output.ts"
import { printable } from "../../Text.ts"

const page = Flag.Int("page").pipe(
  Flag.withDescription("The page; the document as a whole when absent"),
  Flag.filter(
    (number) => number > 0,
    () => "a page, from 1 on"
  ),
  Flag.optional
)

const lineOf = ({ error, page, size, stage, status, version }: typeof ArtifactView.Type): string => {
  const what = page === undefined ? "document" : `page ${page}`
  const made = status === "done" ? `${size} bytes` : error === undefined ? "" : `${error.code}: ${error.message}`
  return printable(`${what.padEnd(10)}  ${stage} ${version}  ${status.padEnd(7)}  ${made}`.trimEnd())
}

export const artifacts = Command.make(
  "artifacts",
  {
    id: documentId,
    stage: Flag.String("stage").pipe(
      Flag.withSchema(StageName),
      Flag.withDescription("Only those of this stage"),
      Flag.optional
    ),
    page,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, page, stage }) {
      const sluice = yield* SluiceClient
      const json = yield* Json
      const of = {
        ...(Option.isSome(stage) ? { stage: stage.value } : {}),
        ...(Option.isSome(page) ? { page: page.value } : {})
      }
      yield* Stream.runForEach(sluice.artifacts(id, of), (artifact) =>
        json ? printJson(ArtifactView, artifact) : Console.log(lineOf(artifact))
      )
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Lists what stages made of a document and its pages, and what they failed to do. With --json one object per line."
  ),
  Command.withExamples([{ command: "sluice artifacts 01a207b0-622e-7327-b679-1bc44ce43310 --stage ocr" }])
)

export const artifact = Command.make(
  "artifact",
  {
    id: documentId,
    stage: Argument.String("stage").pipe(Argument.withDescription("The stage"), Argument.withSchema(StageName)),
    page,
    version: Flag.String("stage-version").pipe(
      Flag.withSchema(StageVersion),
      Flag.withDescription("The stage's version; what was made last otherwise"),
      Flag.optional
    ),
    out: outFlag,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, out, page, stage, version }) {
      const sluice = yield* SluiceClient
      const { bytes } = yield* sluice.artifact(id, {
        stage,
        page: Option.getOrUndefined(page),
        version: Option.getOrUndefined(version)
      })
      yield* writeOut(out, bytes)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription("Writes what a stage made of a document, or of one of its pages."),
  Command.withExamples([{ command: "sluice artifact 01a207b0-622e-7327-b679-1bc44ce43310 ocr --page 3 | jq ." }])
)
