import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { basename } from "node:path"
import { assert, describe } from "@effect/vitest"
import { Console, Effect } from "effect"
import { isTerminal } from "../../src/domain/document/Document.ts"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { postPdf } from "../http/client.ts"
import { corpusTest, minutes, pdfsBelow } from "../support/corpus.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, queueStatus, statusOf, temporaryFolder, until } from "../support/service.ts"

const largestFile = 1024 ** 2
const env = { PER_TENANT_PDF_CONCURRENCY: "8", LOG_LEVEL: "Warn" }

/** Uploads everything; the documents by file name. What is refused at the door is the same every time. */
const uploadAll = (paths: ReadonlyArray<string>) =>
  Effect.forEach(
    paths,
    Effect.fnUntraced(function* (path) {
      const name = basename(path)
      const answer = yield* postPdf(`/v1/documents?name=${encodeURIComponent(name)}`, {}, readFileSync(path))
      return answer.status === 202 ? [[name, yield* acceptedId(answer)] as const] : []
    }),
    { concurrency: 16 }
  ).pipe(Effect.map((found) => found.flat()))

/** How every document ended, and a digest of what was found in it. */
const fates = (documents: ReadonlyArray<readonly [string, DocumentId]>) =>
  Effect.forEach(
    documents,
    Effect.fnUntraced(function* ([name, id]) {
      const { error, status } = yield* until(statusOf(id), (document) => isTerminal(document.status))
      const pages = (yield* allPagesOf(id)).map((page) => ({ ...page, elapsedMillis: 0 }))
      return [name, status, error?.code, createHash("sha256").update(JSON.stringify(pages)).digest("hex")] as const
    }),
    { concurrency: 8 }
  )

describe("The corpus, with the server killed in the middle of it,", () => {
  corpusTest(
    "ends in the same states with the same results as without",
    ".",
    (folder) =>
      Effect.gen(function* () {
        // Some of each kind: all of them are read by another test.
        const paths = pdfsBelow(folder)
          .filter((path) => statSync(path).size <= largestFile)
          .filter((_, index) => index % 3 === 0)

        const undisturbed = yield* Effect.gen(function* () {
          const server = yield* startServer(yield* temporaryFolder, env)
          return yield* Effect.flatMap(uploadAll(paths), fates).pipe(Effect.provide(clientOf(server)))
        }).pipe(Effect.scoped)

        const directory = yield* temporaryFolder
        const first = yield* startServer(directory, env)
        const documents = yield* uploadAll(paths).pipe(
          Effect.tap(() => until(queueStatus(), ({ total_processed }) => total_processed > paths.length / 2)),
          Effect.provide(clientOf(first))
        )
        yield* first.signal("SIGKILL")
        yield* first.ended
        const disturbed = yield* Effect.gen(function* () {
          const { total_processed } = yield* queueStatus()
          yield* Console.log(`killed after ${total_processed} of ${documents.length} documents`)
          return yield* fates(documents)
        }).pipe(Effect.provide(clientOf(yield* startServer(directory, env))))

        assert.isAbove(undisturbed.length, 0)
        assert.deepStrictEqual(disturbed, undisturbed)
      }),
    minutes(20)
  )
})
