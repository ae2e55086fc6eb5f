import { Console, Duration, Effect, Option } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { DocumentId, SluiceClient, StageName, type StageOf, StageVersion } from "../../../client.ts"
import { DocumentView } from "../../../http/api/views/DocumentView.ts"
import { CommandFailed, reported } from "../../CommandFailure.ts"
import { connected, connection, pdfPassword } from "../../Connection.ts"
import { documentLines } from "../../Describe.ts"
import { Json, show } from "../../Json.ts"
import { plural, printable } from "../../Text.ts"

const stageOf = (stage: Option.Option<StageName>, version: Option.Option<StageVersion>): StageOf | undefined =>
  Option.isNone(stage)
    ? undefined
    : { stage: stage.value, ...(Option.isSome(version) ? { version: version.value } : {}) }

const retryOne = Effect.fnUntraced(function* (id: DocumentId, of: StageOf | undefined) {
  const sluice = yield* SluiceClient
  const password = yield* pdfPassword
  const document = yield* of === undefined ? sluice.retry(id, password) : sluice.retryStage(id, of, password)
  yield* show(DocumentView, document, documentLines)
})

/** All documents of the tenant, part by part, waiting where there is no room. */
const retryAll = Effect.fnUntraced(function* (of: StageOf | undefined) {
  const sluice = yield* SluiceClient
  const json = yield* Json
  let retried = 0
  let refused = 0
  let cursor: DocumentId | undefined
  do {
    const part = yield* sluice.retryDocuments({ ...of, limit: 200, ...(cursor === undefined ? {} : { cursor }) }).pipe(
      Effect.tapError((error) =>
        error._tag === "Refused" && error.status === 429
          ? Effect.sleep(Duration.seconds(error.retryAfter ?? 1))
          : Effect.void
      ),
      Effect.retry({ times: 100, while: (error) => error._tag === "Refused" && error.status === 429 })
    )
    retried += part.retried
    refused += part.refused.length
    for (const { code, id, message } of part.refused) {
      yield* json ? Effect.void : Console.error(printable(`${id}: ${code}: ${message}`))
    }
    if (part.retryAfter !== undefined) yield* Effect.sleep(Duration.seconds(part.retryAfter))
    cursor = part.nextCursor
  } while (cursor !== undefined)
  yield* Console.log(json ? JSON.stringify({ retried, refused }) : `${plural(retried, "document")} queued again`)
  if (refused > 0) return yield* new CommandFailed()
})

export const retry = Command.make(
  "retry",
  {
    id: Argument.String("id").pipe(
      Argument.withDescription("The document's id"),
      Argument.withSchema(DocumentId),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("All documents of the tenant that are partial or failed; with --stage also completed ones"),
      Flag.withDefault(false)
    ),
    stage: Flag.String("stage").pipe(
      Flag.withSchema(StageName),
      Flag.withDescription("Run only this stage again, also of a document that is completed"),
      Flag.optional
    ),
    version: Flag.String("stage-version").pipe(
      Flag.withSchema(StageVersion),
      Flag.withDescription("With --stage: make again only what this version of it has made"),
      Flag.optional
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, stage, version }) {
      const of = stageOf(stage, version)
      return yield* Option.isSome(id) ? retryOne(id.value, of) : retryAll(of)
    },
    connected,
    reported
  )
).pipe(
  Command.validate(({ all, id, stage, version }) => {
    const wrong =
      Option.isSome(id) === all
        ? "either the id of a document, or --all"
        : Option.isSome(version) && Option.isNone(stage)
          ? "--stage-version needs --stage"
          : undefined
    return wrong === undefined ? Effect.void : Effect.fail(new CliError.ValidationError({ message: wrong }))
  }),
  Command.withDescription(
    "Queues a document that is partial or failed again: what failed is done once more, the rest stays. With --stage, what that stage " +
      "has made is made again. A password it needs is taken from SLUICE_PDF_PASSWORD."
  ),
  Command.withExamples([
    { command: "sluice retry 01a207b0-622e-7327-b679-1bc44ce43310" },
    { command: "sluice retry --all --stage summary --stage-version 1" }
  ])
)
