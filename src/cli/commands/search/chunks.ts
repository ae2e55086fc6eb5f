import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection, documentId } from "../../Connection.ts"
import { chunkLines } from "../../ingest/Formats.ts"
import { outFlag, writeOut } from "../../Output.ts"

export const chunks = Command.make(
  "chunks",
  {
    id: documentId,
    tokens: Flag.Int("tokens").pipe(
      Flag.withDescription("The most tokens of a chunk; 512 if not given"),
      Flag.optional
    ),
    out: outFlag,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, out, tokens }) {
      const sluice = yield* SluiceClient
      const found = sluice.chunks(id, { tokens: Option.getOrUndefined(tokens) })
      yield* writeOut(out, Stream.encodeText(chunkLines(found)))
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Writes the document in chunks for models and searches, each as one line of JSON: its text, headings, pages and places."
  ),
  Command.withExamples([{ command: "sluice chunks 01a207b0-622e-7327-b679-1bc44ce43310 --tokens 256 | jq -r .text" }])
)
