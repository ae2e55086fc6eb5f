import { Effect } from "effect"
import { Command } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { DocumentView } from "../../../http/api/views/DocumentView.ts"
import { connected, connection, documentId, pdfPassword } from "../../Connection.ts"
import { documentLines } from "../../Describe.ts"
import { reported } from "../../CommandFailure.ts"
import { show } from "../../Json.ts"

export const retry = Command.make(
  "retry",
  { id: documentId, ...connection },
  Effect.fnUntraced(
    function* ({ id }) {
      const sluice = yield* SluiceClient
      yield* show(DocumentView, yield* sluice.retry(id, yield* pdfPassword), documentLines)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Queues a document that is partial or failed again: its failed pages are read once more, the others stay. A password it needs is taken from SLUICE_PDF_PASSWORD."
  )
)
