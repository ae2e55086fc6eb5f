import { Effect } from "effect"
import { Command } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { DocumentView } from "../../../http/api/views/DocumentView.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection, documentId } from "../../Connection.ts"
import { documentLines } from "../../Describe.ts"
import { show as print } from "../../Json.ts"

export const show = Command.make(
  "show",
  { id: documentId, ...connection },
  Effect.fnUntraced(
    function* ({ id }) {
      const sluice = yield* SluiceClient
      yield* print(DocumentView, yield* sluice.status(id), documentLines)
    },
    connected,
    reported
  )
).pipe(Command.withDescription("Shows one document: its state, pages, stages, warnings, and why it waits."))
