import { Console, DateTime, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { DocumentStatus } from "../../../domain/document/Document.ts"
import { type DocumentView, ListedDocument } from "../../../http/api/views/DocumentView.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { Json, printJson } from "../../Json.ts"
import { column, printable } from "../../Text.ts"

type Listed = Omit<typeof DocumentView.Type, "outline">

const pagesOf = ({ done, failed, pages }: Listed["progress"]) =>
  `${done}/${pages ?? "?"}${failed === 0 ? "" : ` (${failed} failed)`}`

const lineOf = (document: Listed): string =>
  [
    document.id,
    document.status.padEnd(9),
    pagesOf(document.progress).padEnd(12),
    DateTime.formatIso(document.timings.acceptedAt).slice(0, 19),
    column(printable(document.name), 40).trimEnd()
  ].join("  ")

/** The most documents of one request. */
const portion = 200

export const ls = Command.make(
  "ls",
  {
    status: Flag.Literals("status", DocumentStatus.literals).pipe(
      Flag.withDescription("Only documents in this state; may be repeated"),
      Flag.atLeast(0)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("The most documents; 50 otherwise"),
      Flag.filter(
        (limit) => limit > 0,
        () => "at least 1"
      ),
      Flag.withDefault(50)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ limit, status }) {
      const sluice = yield* SluiceClient
      const json = yield* Json
      let left = limit
      let cursor: (typeof DocumentView.Type)["id"] | undefined
      do {
        const part = yield* sluice.list({
          limit: Math.min(left, portion),
          ...(status.length === 0 ? {} : { status }),
          ...(cursor === undefined ? {} : { cursor })
        })
        for (const document of part.documents) {
          yield* json ? printJson(ListedDocument, document) : Console.log(lineOf(document))
        }
        left -= part.documents.length
        cursor = left > 0 ? part.nextCursor : undefined
      } while (Option.isSome(Option.fromUndefinedOr(cursor)))
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Lists the documents of the tenant, newest first: id, state, pages, acceptance (UTC) and name. With --json one object per line."
  ),
  Command.withExamples([
    { command: "sluice ls --status failed --status partial" },
    { command: "sluice ls --json --limit 1000 | jq -r .id" }
  ])
)
