/**
 * The engine inside an Effect program: no HTTP, nothing on disk. Reads the PDFs named on the command line, or the examples,
 * and prints each page as it is done.
 *
 *     node examples/embed.ts [FILE.pdf ...]
 */
import { basename } from "node:path"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, References, Stream } from "effect"
import { Ingestion, layerMemory, TenantId } from "../src/index.ts"

const tenant = TenantId.make("acme")

/** Submits one file and follows it to its end. */
const ingest = Effect.fn("ingest")(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const ingestion = yield* Ingestion
  const document = yield* ingestion.submit(tenant, files.stream(path), { name: basename(path) })
  yield* ingestion
    .follow(tenant, document.id)
    .pipe(
      Stream.runForEach((event) =>
        event._tag === "PageDone" ? Console.log(`${document.name}: page ${event.page} ${event.status}`) : Effect.void
      )
    )
  return yield* ingestion.status(tenant, document.id)
})

export const program = Effect.fn("program")(function* (paths: ReadonlyArray<string>) {
  const documents = yield* Effect.forEach(paths, ingest, { concurrency: "unbounded" })
  for (const { name, progress, status } of documents)
    yield* Console.log(`${name}: ${status}, ${progress.done} of ${progress.pages ?? "?"} pages`)
  return documents
})

if (import.meta.main) {
  const paths = process.argv.slice(2)
  const examples = ["welcome.pdf", "two-columns.pdf", "report.pdf"].map((name) => `${import.meta.dirname}/${name}`)
  program(paths.length > 0 ? paths : examples).pipe(
    Effect.provide([layerMemory(), NodeServices.layer]),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    NodeRuntime.runMain
  )
}
