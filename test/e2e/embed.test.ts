import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Console, Effect, Layer, References, Stream } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { program } from "../../examples/embed.ts"
import { Ingestion, layerMemory, TenantId } from "../../src/index.ts"

const examples = fileURLToPath(new URL("../../examples/", import.meta.url))
const paths = readdirSync(examples)
  .filter((name) => name.endsWith(".pdf"))
  .map((name) => examples + name)

const tenant = TenantId.make("acme")

it.live("The embedding example reads every example PDF to its end, and prints what it says it prints", () =>
  Effect.gen(function* () {
    const ingestion = yield* Ingestion
    const printed: Array<string> = []
    const console: Console.Console = { ...globalThis.console, log: (line: string) => void printed.push(line) }
    const documents = yield* program(paths).pipe(Effect.provideService(Console.Console, console))

    const summary = documents.map(({ name, progress, status }) => `${name}: ${status}, ${progress.done} pages`)
    assert.sameMembers(summary, [
      "welcome.pdf: completed, 1 pages",
      "two-columns.pdf: completed, 1 pages",
      "report.pdf: completed, 12 pages",
      "mixed.pdf: completed, 3 pages"
    ])
    assert.sameMembers(
      printed.filter((line) => line.startsWith("mixed.pdf: page")),
      ["mixed.pdf: page 1 ok", "mixed.pdf: page 2 scanned", "mixed.pdf: page 3 empty"]
    )
    assert.strictEqual(printed.length, 17 + documents.length, printed.join("\n"))

    const textOf = Effect.fnUntraced(function* (name: string) {
      const document = documents.find((each) => each.name === name)
      assert.isDefined(document)
      return (yield* Stream.runCollect(yield* ingestion.text(tenant, document.id))).join("\f").replace(/\s+/g, " ")
    })
    assert.include(yield* textOf("welcome.pdf"), "If you can see this sentence in the result of your first upload")
    const columns = yield* textOf("two-columns.pdf")
    assert.isBelow(columns.indexOf("When many tenants upload"), columns.indexOf("the order of the queue decides"))
    assert.isBelow(columns.indexOf("the order of the queue decides"), columns.indexOf("The result is plain"))
    assert.include(yield* textOf("report.pdf"), "page 12 of 12")

    // Bytes that are there already, as a file is read into them.
    const whole = yield* ingestion.submit(tenant, readFileSync(`${examples}welcome.pdf`), { name: "whole.pdf" })
    yield* Stream.runDrain(ingestion.follow(tenant, whole.id))
    const read = yield* ingestion.status(tenant, whole.id)
    assert.deepStrictEqual([read.status, read.progress.done], ["completed", 1])

    const report = documents.find(({ name }) => name === "report.pdf")
    assert.strictEqual(report?.metadata?.title, "A report in twelve pages")
    assert.isAbove(report?.outline?.length ?? 0, 2)
  }).pipe(
    Effect.provide(Layer.merge(layerMemory({ workers: 2 }), NodeServices.layer)),
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
)
