// A disk that is really full, or read-only: a small file system in memory, which only an administrator can mount.
import { execFileSync } from "node:child_process"
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { HttpBody } from "effect/http"
import { assertProblem, get, post, postPdf, remove } from "../http/client.ts"
import { manyPages } from "../support/pdf.ts"
import { acceptedId, finished, Premises, serviceAt, temporaryFolder, until } from "../support/service.ts"

const mib = 1024 * 1024

const run = (program: string, ...args: ReadonlyArray<string>) =>
  Result.isSuccess(Result.try(() => execFileSync(program, args, { stdio: "pipe" })))

const mount = (folder: string) => run("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder)

const smallDisk = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  yield* Effect.acquireRelease(
    Effect.sync(() => assert.isTrue(mount(folder))),
    () => Effect.sync(() => run("umount", "--lazy", folder))
  )
  return folder
})

const mountable = await Effect.runPromise(
  Effect.scoped(Effect.map(temporaryFolder, (folder) => mount(folder) && run("umount", folder)))
)

/** Takes all there is, down to the last byte. */
const fill = (path: string) =>
  Effect.sync(() => {
    const descriptor = openSync(path, "a")
    const wrote = (size: number) => Result.isSuccess(Result.try(() => writeSync(descriptor, new Uint8Array(size))))
    for (const size of [mib, 64 * 1024, 4096, 1]) while (wrote(size));
    closeSync(descriptor)
  })

const env = { MIN_FREE_BYTES: "4MiB", PAGE_WORKERS: "1" }

/** `large` ones have a file of their own. */
const pdfOf = (pages: number, large: boolean) =>
  large ? Buffer.concat([manyPages(pages), Buffer.from(`\n%${"x".repeat(300_000)}`)]) : manyPages(pages)

const upload = (name: string, pages: number, large: boolean, headers: Record<string, string> = {}) =>
  postPdf(`/v1/documents?name=${name}.pdf`, headers, pdfOf(pages, large))

const ready = get("/health/ready")
const waiting = { "x-tenant-id": "waiting" }

// oxlint-disable-next-line vitest/require-top-level-describe -- it says why the rest is left out
describe.skipIf(!mountable)("On a disk of 32 MiB (left out where no file system can be mounted)", () => {
  it.live("that others have filled, documents can be cancelled and removed, and a server starts", () =>
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const directory = join(disk, "data")
      const filler = join(disk, "filler")
      const kept = yield* Effect.gen(function* () {
        const ended = [yield* upload("a", 1, true), yield* upload("b", 2, false), yield* upload("c", 3, true)]
        const ids = yield* Effect.forEach(ended, acceptedId)
        for (const id of ids) assert.strictEqual((yield* finished(id)).status, "completed")
        assert.strictEqual((yield* post("/v1/tenant/pause", HttpBody.empty, waiting)).status, 200)
        const queued = yield* acceptedId(yield* upload("queued", 1, true, waiting))
        const second = yield* acceptedId(yield* upload("second", 2, true, waiting))

        yield* fill(filler)
        const unready = yield* ready
        assertProblem(unready, 503, "NOT_READY")
        assert.match(unready.text, /disk is full/)
        // How much is free is measured now and then.
        const refused = yield* until(upload("refused", 4, true), ({ json }) => json["code"] === "STORAGE_FULL")
        assertProblem(refused, 503, "STORAGE_FULL")
        assert.isDefined(refused.headers["retry-after"])

        assert.strictEqual((yield* post(`/v1/documents/${queued}/cancel`, HttpBody.empty, waiting)).status, 200)
        for (const id of ids.slice(0, 2)) assert.strictEqual((yield* remove(`/v1/documents/${id}`)).status, 204)
        return { ended: ids[2] ?? "", second }
      }).pipe(Effect.provide(serviceAt(directory, { env })), Effect.scoped)

      yield* fill(filler)
      yield* Effect.gen(function* () {
        assertProblem(yield* ready, 503, "NOT_READY")
        assert.strictEqual((yield* remove(`/v1/documents/${kept.ended}`)).status, 204)
        assert.strictEqual((yield* remove(`/v1/documents/${kept.second}`, waiting)).status, 202)
        const { logs } = yield* Premises
        assert.lengthOf(
          logs.filter((line) => line.includes("only removals and cancellations work")),
          1
        )
        rmSync(filler)
        yield* until(upload("again", 5, true), ({ status }) => status === 202)
        yield* until(ready, ({ status }) => status === 200)
      }).pipe(Effect.provide(serviceAt(directory, { env })), Effect.scoped)
    })
  )

  it.live(
    "that is filled between two measurements, an upload is refused for the full disk, and not for a broken store",
    () =>
      Effect.gen(function* () {
        const disk = yield* smallDisk
        yield* Effect.gen(function* () {
          for (const [n, large] of [true, false].entries()) {
            // Measures the free space.
            yield* finished(yield* acceptedId(yield* upload(`before-${n}`, 1, large)))
            yield* fill(join(disk, "filler"))
            const refused = yield* upload(`refused-${n}`, 2 + n, large)
            assertProblem(refused, 503, "STORAGE_FULL")
            assert.isDefined(refused.headers["retry-after"])
            rmSync(join(disk, "filler"))
            yield* until(ready, ({ status }) => status === 200)
          }
        }).pipe(Effect.provide(serviceAt(join(disk, "data"), { env })), Effect.scoped)
      })
  )

  it.live("that becomes read-only, the service is not ready, and says so when it is started anew", () =>
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const directory = join(disk, "data")
      yield* Effect.gen(function* () {
        yield* finished(yield* acceptedId(yield* upload("a", 1, true)))
        // A mount is not made read-only while files are open for writing; its folder is, by another one over it.
        rmSync(join(directory, "tmp"), { recursive: true })
        const unready = yield* ready
        assertProblem(unready, 503, "NOT_READY")
        assert.match(unready.text, /originals cannot be written: ENOENT/)
      }).pipe(Effect.provide(serviceAt(directory, { env })), Effect.scoped)
      assert.isTrue(run("mount", "-o", "remount,ro", disk))
      const error = yield* Effect.flip(Effect.scoped(Effect.provide(Effect.void, serviceAt(directory, { env }))))
      assert.match(error.message, /DATA_DIR .*read-only/)
    })
  )
})

describe("A service whose database is damaged", () => {
  it.live("is not ready, from the moment when that is found on", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryFolder, "data")
      yield* Effect.scoped(
        Effect.provide(
          Effect.gen(function* () {
            yield* finished(yield* acceptedId(yield* upload("a", 1, false)))
          }),
          serviceAt(directory, { env })
        )
      )
      const path = join(directory, "sluice.db")
      const database = new DatabaseSync(path)
      const page = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'").get()?.["rootpage"]
      const size = Number(database.prepare("PRAGMA page_size").get()?.["page_size"])
      database.close()
      const descriptor = openSync(path, "r+")
      writeSync(descriptor, Buffer.alloc(size, 0xff), 0, size, (Number(page) - 1) * size)
      closeSync(descriptor)
      const started = yield* Effect.exit(
        Effect.scoped(
          Effect.provide(
            Effect.gen(function* () {
              yield* get("/v1/documents")
              const unready = yield* ready
              assertProblem(unready, 503, "NOT_READY")
              assert.match(unready.text, /the database is damaged/)
              return "ran"
            }),
            serviceAt(directory, { env })
          )
        )
      )
      // Either it is found at the start already, which then tells, or with the first question.
      if (started._tag === "Failure") assert.match(String(started.cause), /damaged|malformed/)
      else assert.strictEqual(started.value, "ran")
      writeFileSync(path, "no database")
    })
  )
})
