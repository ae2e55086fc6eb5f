import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { writeAtomically } from "../../src/cli/ingest/AtomicFile.ts"
import { asLines, asText } from "../../src/cli/ingest/Formats.ts"
import { outputNames } from "../../src/cli/ingest/Inputs.ts"
import { progressLine } from "../../src/cli/ingest/Progress.ts"
import type { PageView } from "../../src/domain/document/Page.ts"
import { testServer } from "../http/client.ts"
import { brokenPage, makePdf, textPage } from "../support/pdf.ts"
import { service, temporaryFolder } from "../support/service.ts"
import { sluiceHere } from "./harness.ts"

const pageOf = (number: number, text: string, more: Partial<PageView> = {}): PageView => ({
  number,
  status: text === "" ? "empty" : "ok",
  width: 1,
  height: 1,
  rotation: 0,
  text,
  elapsedMillis: 1,
  ...more
})

const unread = pageOf(3, "", { status: "failed", error: { code: "PAGE_UNREADABLE", message: "damaged", advice: "" } })
const pages = [pageOf(1, "One\n# no heading"), pageOf(2, ""), unread]

const rendered = (render: typeof asText | typeof asLines) =>
  Effect.map(Stream.runCollect(render(Stream.fromIterable(pages))), (chunks) => Buffer.concat(chunks).toString())

describe("The formats", () => {
  it.effect("text has pages between form feeds, ndjson a page per line", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* rendered(asText), "One\n# no heading\f\f[page 3 is missing: PAGE_UNREADABLE]\n")
      const lines = (yield* rendered(asLines)).trimEnd().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line)),
        pages
      )
    })
  )
})

describe("The names of outputs", () => {
  it("are one for each input, whatever their case, and say which are not their own", () => {
    const names = ["report.pdf", "Report.PDF", "report-2.pdf", "notes", "notes.pdf"]
    const named = outputNames(
      names.map((name, n) => ({ path: `${n}/${name}`, name, size: 1 })),
      ".txt"
    )
    assert.deepStrictEqual(
      named.map(({ out, renamed }) => [out, renamed]),
      [
        ["report.txt", false],
        ["Report-3.txt", true],
        ["report-2.txt", false],
        ["notes.txt", false],
        ["notes-2.txt", true]
      ]
    )
  })
})

describe("A file that is written", () => {
  it.effect("is there as a whole, or not at all when it is interrupted or fails", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "a.txt")
      const bytes = (text: string) => Stream.encodeText(Stream.make(text))
      yield* writeAtomically(path, bytes("before"))

      const begun = yield* Deferred.make<void>()
      const endless = Stream.concat(
        bytes("half"),
        Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      )
      const writing = yield* Effect.forkChild(writeAtomically(path, endless))
      yield* Deferred.await(begun)
      assert.strictEqual(readdirSync(folder).length, 2)
      yield* Fiber.interrupt(writing)
      assert.deepStrictEqual(readdirSync(folder), ["a.txt"])
      const longest = `${"n".repeat(251)}.txt`
      yield* writeAtomically(join(folder, longest), bytes("long"))
      assert.deepStrictEqual(readdirSync(folder).toSorted(), ["a.txt", longest])
      rmSync(join(folder, longest))

      yield* Effect.flip(writeAtomically(path, Stream.concat(bytes("half"), Stream.fail("lost"))))
      assert.deepStrictEqual(readdirSync(folder), ["a.txt"])
      assert.strictEqual(readFileSync(path, "utf8"), "before")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("The line of a file", () => {
  const input = { path: "scans/a\u001b[31m.pdf", name: "a.pdf", size: 200 }

  it("shows what there is to know in the width there is", () => {
    const seen = {
      status: "running",
      done: 6,
      failed: 0,
      warned: 0,
      warnings: [],
      pages: 12,
      error: undefined,
      waiting: undefined
    } as const
    assert.include(progressLine(input, { _tag: "Seen", seen }, 100), "██████████░░░░░░░░░░ 6/12 pages")
    assert.include(progressLine(input, { _tag: "Sending", sent: 50 }, 100), "█████░░░░░░░░░░░░░░░ sending 25 %")
    const queued = { ...seen, status: "queued", pages: undefined, waiting: "tenant, number 3" } as const
    assert.include(progressLine(input, { _tag: "Seen", seen: queued }, 100), "queued (tenant, number 3)")
    for (const columns of [20, 40, 100]) {
      const line = progressLine(input, { _tag: "Seen", seen }, columns)
      assert.isAtMost([...line].length, columns)
      assert.notInclude(line, "\u001b")
    }
  })
})

/** Files as a person has them. */
const withFiles = Effect.map(temporaryFolder, (folder) => {
  const put = (name: string, bytes: Uint8Array | string) => {
    mkdirSync(join(folder, "in", "more"), { recursive: true })
    writeFileSync(join(folder, "in", name), bytes)
    return join(folder, "in", name)
  }
  const out = join(folder, "out")
  return { put, out, folder: join(folder, "in"), written: () => readdirSync(out).toSorted() }
})

describe("ingest", () => {
  it.live("sends files and folders, waits, and writes what was read", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      files.put("a.pdf", makePdf({ pages: [textPage(["First"]), textPage(["Second"])] }))
      files.put("B.PDF", makePdf({ pages: [textPage(["Third"])] }))
      files.put("notes.txt", "no PDF, and not meant")
      const clash = files.put("more/a.pdf", makePdf({ pages: [textPage(["Fourth"])] }))

      const { code, err, out } = yield* sluiceHere(["ingest", files.folder, clash, "--out", files.out, "-t", "acme"])
      assert.strictEqual(code, 0, err + out)
      assert.deepStrictEqual(files.written(), ["B.txt", "a-2.txt", "a.txt"])
      assert.strictEqual(readFileSync(join(files.out, "a.txt"), "utf8"), "First\fSecond\n")
      assert.strictEqual(readFileSync(join(files.out, "a-2.txt"), "utf8"), "Fourth\n")
      assert.include(out, "goes to a-2.txt, as another file has its name")
      assert.include(out, "3 files: 3 completed; 4 pages")

      const again = yield* sluiceHere(["ingest", clash, "-t", "acme"])
      assert.strictEqual(again.code, 0)
      assert.match(again.out, /accepted as [0-9a-f-]+, which was there already\n/)
      const queue = JSON.parse((yield* sluiceHere(["status", "-t", "acme", "--json"])).out)
      assert.strictEqual(queue.total_processed, 3)
    }).pipe(Effect.provide(service()))
  )

  it.live("ends with 1 when a file is refused, fails or is read in part, and does the others all the same", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      const paths = [
        files.put("good.pdf", makePdf({ pages: [textPage(["Good"])] })),
        files.put("none.pdf", "not a PDF at all"),
        files.put("corrupt.pdf", "%PDF-1.7\nand nothing else"),
        files.put("part.pdf", makePdf({ pages: [textPage(["Here"]), brokenPage] }))
      ]
      const { code, out } = yield* sluiceHere(["ingest", ...paths, "--out", files.out, "--format", "md", "--json"])
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(files.written(), ["good.md", "part.md"])
      const report = JSON.parse(out)
      assert.deepStrictEqual([report.ok, report.failed], [1, 3])
      const found = report.documents.map((each: { status: string; error?: { code: string } }) => [
        each.status,
        each.error?.code
      ])
      assert.deepStrictEqual(found, [
        ["completed", undefined],
        ["refused", "NOT_PDF"],
        ["failed", "CORRUPT"],
        ["partial", undefined]
      ])
      assert.include(readFileSync(join(files.out, "part.md"), "utf8"), "Here\n\n[page 2 is missing: PAGE_UNREADABLE]\n")
    }).pipe(Effect.provide(service()))
  )

  it.live("reads standard input for -, and writes to standard output for it, in the order of the files", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      const bytes = makePdf({ pages: [textPage(["Piped"]), textPage(["in"])] })
      const one = yield* sluiceHere(["ingest", "-", "--out", "-"], {}, bytes)
      assert.strictEqual(one.code, 0, one.err)
      assert.deepStrictEqual([one.written, one.out], ["Piped\fin\n", ""])
      assert.match(one.err, /^-: accepted as [^\n]+\n-: completed, 2 pages\n1 file: 1 completed; 2 pages$/)

      const slow = files.put(
        "slow.pdf",
        makePdf({ pages: Array.from({ length: 30 }, (_, n) => textPage([`Slow ${n}`])) })
      )
      const none = files.put("none.pdf", "not a PDF at all")
      const fast = files.put("fast.pdf", makePdf({ pages: [textPage(["Fast"])] }))
      const all = yield* sluiceHere(["ingest", slow, none, "-", fast, "--out", "-", "--json"], {}, bytes)
      assert.strictEqual(all.code, 1)
      assert.match(all.written, /^Slow 0\f[^]*Slow 29\n\fPiped\fin\n\fFast\n$/)
      const report = JSON.parse(all.err)
      assert.deepStrictEqual(
        report.documents.map(({ file, status }: { file: string; status: string }) => [file.split("/").at(-1), status]),
        [
          ["slow.pdf", "completed"],
          ["none.pdf", "refused"],
          ["-", "completed"],
          ["fast.pdf", "completed"]
        ]
      )

      const kept = yield* sluiceHere(["ingest", "-", "--out", files.out], {}, bytes)
      assert.strictEqual(kept.code, 0, kept.err)
      assert.deepStrictEqual(files.written(), ["stdin.txt"])
      const empty = yield* sluiceHere(["ingest", "-"], {}, new Uint8Array())
      assert.deepStrictEqual([empty.code, empty.out.includes("-: refused, NOT_PDF")], [1, true])
      const terminal = yield* sluiceHere(["ingest", "-"])
      assert.strictEqual(terminal.code, 2)
      assert.include(terminal.err, "which is a terminal")
      for (const { temporary } of [all, kept, empty]) assert.deepStrictEqual(temporary, { made: 1, left: [] })
      assert.deepStrictEqual(terminal.temporary, { made: 0, left: [] })
    }).pipe(Effect.provide(service()))
  )

  it.live("tells of what it cannot read, counts it, and does the others", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      const good = files.put("good.pdf", makePdf({ pages: [textPage(["Good"])] }))
      symlinkSync("gone.pdf", join(files.folder, "dangling.pdf"))
      symlinkSync("loop.pdf", join(files.folder, "loop.pdf"))
      mkdirSync(join(files.folder, "folder.pdf"))
      execFileSync("mkfifo", [join(files.folder, "pipe.pdf")])
      const { code, out } = yield* sluiceHere(["ingest", files.folder, "--out", files.out, "--json"])
      assert.strictEqual(code, 1)
      const report = JSON.parse(out)
      assert.deepStrictEqual([report.ok, report.failed], [1, 4])
      const found = Object.fromEntries(
        report.documents.map(({ error, file, status }: { error?: { code: string }; file: string; status: string }) => [
          file.split("/").at(-1),
          error?.code ?? status
        ])
      )
      assert.deepStrictEqual(found, {
        "dangling.pdf": "UNREADABLE",
        "loop.pdf": "UNREADABLE",
        "folder.pdf": "NOT_A_FILE",
        "pipe.pdf": "NOT_A_FILE",
        "good.pdf": "completed"
      })
      assert.deepStrictEqual(files.written(), ["good.txt"])

      // As a shell names them for scans/*.pdf.
      const named = yield* sluiceHere(["ingest", join(files.folder, "dangling.pdf"), good, "no-such.pdf"])
      assert.strictEqual(named.code, 1)
      assert.match(named.out, /dangling\.pdf: refused, UNREADABLE: [^\n]*$/m)
      assert.match(named.out, /no-such\.pdf: refused, UNREADABLE: [^\n]*$/m)
      assert.match(named.out, /^3 files: 2 refused, 1 accepted$/m)
      const nothing = yield* sluiceHere(["ingest", join(files.folder, "loop.pdf"), "no-such.pdf"])
      assert.strictEqual(nothing.code, 2)
      assert.match(nothing.err, /loop\.pdf: ELOOP: [^;]+; no-such\.pdf: there is no such file/)
      const taken = yield* sluiceHere(["ingest", good, "--out", good])
      assert.strictEqual(taken.code, 2)
      assert.match(taken.err, /good\.pdf is no folder/)
    }).pipe(Effect.provide(service()))
  )

  it.live("tells of what could not be written, and counts it as failed", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      const paths = ["a.pdf", "b.pdf"].map((name) => files.put(name, makePdf({ pages: [textPage([name])] })))
      mkdirSync(join(files.out, "a.txt"), { recursive: true })
      const { code, out } = yield* sluiceHere(["ingest", ...paths, "--out", files.out])
      assert.strictEqual(code, 1)
      assert.match(out, /a\.pdf: failed, NOT_WRITTEN: EISDIR: [^\n]+$/m)
      assert.match(out, /^2 files: (1 failed, 1 completed|1 completed, 1 failed); 1 page$/m)
      assert.deepStrictEqual(files.written(), ["a.txt", "b.txt"])
    }).pipe(Effect.provide(service()))
  )

  it.effect("ends at once, in one line, when there is no server", () =>
    Effect.gen(function* () {
      const files = yield* withFiles
      const path = files.put("a.pdf", makePdf({ pages: [textPage(["a"])] }))
      const none = yield* sluiceHere(["ingest", path, "--url", "http://127.0.0.1:1"])
      assert.strictEqual(none.code, 1)
      assert.match(none.err, /^sluice: UNREACHABLE: [^\n]*$/)
      assert.strictEqual(none.out, "")
    }).pipe(Effect.provide(testServer))
  )
})
