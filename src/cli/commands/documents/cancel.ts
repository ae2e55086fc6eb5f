import { Effect } from "effect"
import { Command } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import { DocumentView } from "../../../http/api/views/DocumentView.ts"
import { connected, connection, documentId } from "../../Connection.ts"
import { documentLines } from "../../Describe.ts"
import { Impossible, reported } from "../../CommandFailure.ts"
import { show } from "../../Json.ts"

export const cancel = Command.make(
  "cancel",
  { id: documentId, ...connection },
  Effect.fnUntraced(
    function* ({ id }) {
      const sluice = yield* SluiceClient
      const document = yield* sluice.cancel(id)
      const { status } = document
      yield* show(DocumentView, document, documentLines)
      if (!isTerminal(status) || status === "cancelled") return
      return yield* new Impossible({ code: "NOT_CANCELLABLE", message: `the document is ${status} already` })
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Ends a document that has not ended. One that has ended is left as it is, and the exit code is 1."
  )
)
