import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BlobHash, TenantId } from "../../../src/domain/Ids.ts"
import { layer } from "../../../src/layers/net/Sources.ts"
import { Sources } from "../../../src/services/Sources.ts"

const fetchTimeout = "1 minute"
const tenant = TenantId.make("acme")

/** `outside.pdf` and `inbox-other/` lie beside the inbox, the rest in it. */
const inbox = Effect.acquireRelease(
  Effect.sync(() => {
    const root = mkdtempSync(join(tmpdir(), "sluice-inbox-"))
    const folder = join(root, "inbox")
    for (const path of ["inbox/sub/deep", "inbox-other"]) mkdirSync(join(root, path), { recursive: true })
    for (const path of [
      "outside.pdf",
      "inbox-other/near.pdf",
      "inbox/a.pdf",
      "inbox/sub/deep/b c.pdf",
      "inbox/..hidden.pdf"
    ]) {
      writeFileSync(join(root, path), `bytes of ${path}`)
    }
    linkSync(join(root, "outside.pdf"), join(folder, "hard.pdf"))
    symlinkSync("hard.pdf", join(folder, "to-hard.pdf"))
    symlinkSync("sub/deep/b c.pdf", join(folder, "inner.pdf"))
    symlinkSync("../outside.pdf", join(folder, "escape.pdf"))
    symlinkSync("../inbox-other", join(folder, "escape"))
    symlinkSync("../missing.pdf", join(folder, "dangling.pdf"))
    symlinkSync("loop.pdf", join(folder, "loop.pdf"))
    symlinkSync(".", join(folder, "self"))
    execFileSync("mkfifo", [join(folder, "pipe.pdf")])
    return { root, folder }
  }),
  ({ root }) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

const withInbox = <A, E>(body: (folder: string, root: string) => Effect.Effect<A, E, Sources>) =>
  Effect.flatMap(inbox, ({ folder, root }) =>
    Effect.provide(body(folder, root), layer({ inbox: folder, fetchTimeout }))
  )

const textOf = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(chunks).toString())

describe("resolving a source", () => {
  it.effect("takes 64 hexadecimal digits for a blob", () =>
    Effect.gen(function* () {
      const sources = yield* Sources
      const hash = BlobHash.make("0123456789abcdef".repeat(4))
      assert.deepEqual(yield* sources.resolve(hash, tenant), { _tag: "Blob", hash })
      assert.deepEqual(yield* sources.resolve(hash.toUpperCase(), tenant), { _tag: "Blob", hash })
    }).pipe(Effect.provide(layer({ inbox: undefined, fetchTimeout })))
  )

  it.effect("takes http and https in any case for a URL and names it after its last segment", () =>
    Effect.gen(function* () {
      const sources = yield* Sources
      const cases = [
        ["http://example.com/a/b.pdf", "http://example.com/a/b.pdf", "b.pdf"],
        ["HTTPS://Example.COM/a/b.pdf?token=1#page=2", "https://example.com/a/b.pdf?token=1", "b.pdf"],
        ["http://example.com/caf%C3%A9%20menu.pdf", "http://example.com/caf%C3%A9%20menu.pdf", "café menu.pdf"],
        ["http://example.com/folder/", "http://example.com/folder/", "folder"],
        ["http://example.com", "http://example.com/", "example.com"],
        ["http://example.com/%E0%A4%A", "http://example.com/%E0%A4%A", "%E0%A4%A"],
        ["http://example.com/..%2F..%2Fetc", "http://example.com/..%2F..%2Fetc", "../../etc"],
        ["http://127.0.0.1/x.pdf", "http://127.0.0.1/x.pdf", "x.pdf"]
      ] as const
      for (const [source, url, name] of cases) {
        assert.deepEqual(yield* sources.resolve(source, tenant), { _tag: "Url", url, name })
      }
      const long = yield* sources.resolve(`http://example.com/${"\u{1f600}".repeat(300)}`, tenant)
      assert.strictEqual(long._tag === "Url" ? Array.from(long.name).length : 0, 255)
    }).pipe(Effect.provide(layer({ inbox: undefined, fetchTimeout })))
  )

  it.effect("refuses other schemes and credentials, and keeps them out of the message", () =>
    withInbox(() =>
      Effect.gen(function* () {
        const sources = yield* Sources
        for (const source of [
          "file:///etc/passwd",
          "FILE:a.pdf",
          "ftp://example.com/a.pdf",
          "data:application/pdf,x",
          "C:\\a.pdf",
          "http://me:hunter2@example.com/",
          "http://"
        ]) {
          const error = yield* Effect.flip(sources.resolve(source, tenant))
          assert.strictEqual(error._tag, "SourceRefused", source)
          assert.strictEqual(error.failure.code, "SOURCE_REFUSED")
          assert.notInclude(JSON.stringify(error), "hunter2")
        }
      })
    )
  )

  it.effect("finds a file below the inbox by its real path", () =>
    withInbox((folder) =>
      Effect.gen(function* () {
        const sources = yield* Sources
        const cases = [
          ["a.pdf", "a.pdf", "a.pdf"],
          ["./sub//deep/b c.pdf", "sub/deep/b c.pdf", "b c.pdf"],
          ["inner.pdf", "sub/deep/b c.pdf", "inner.pdf"],
          ["self/self/a.pdf", "a.pdf", "a.pdf"],
          ["..hidden.pdf", "..hidden.pdf", "..hidden.pdf"]
        ] as const
        for (const [source, path, name] of cases) {
          assert.deepEqual(yield* sources.resolve(source, tenant), { _tag: "File", path: join(folder, path), name })
        }
      })
    )
  )

  it.effect("refuses whatever leads out of the inbox or names no file", () =>
    withInbox((folder, root) =>
      Effect.gen(function* () {
        const sources = yield* Sources
        const paths = [
          "",
          ".",
          "sub",
          "/etc/passwd",
          join(folder, "a.pdf"),
          "../outside.pdf",
          "sub/../a.pdf",
          "sub/../../outside.pdf",
          "..",
          "..\\outside.pdf",
          "\\\\host\\share\\a.pdf",
          "//host/a.pdf",
          "a.pdf\0.png",
          "escape.pdf",
          "escape/near.pdf",
          "hard.pdf",
          "to-hard.pdf",
          "loop.pdf",
          "pipe.pdf",
          "self",
          `${"x".repeat(300)}.pdf`,
          "x/".repeat(3_000)
        ]
        for (const path of paths) {
          const error = yield* Effect.flip(sources.resolve(path, tenant))
          assert.strictEqual(error._tag, "SourceRefused", path)
          assert.notInclude(error.message, root)
        }
      })
    )
  )

  it.effect("calls a missing file unavailable for good", () =>
    withInbox(() =>
      Effect.gen(function* () {
        const sources = yield* Sources
        for (const path of ["missing.pdf", "a.pdf/b.pdf", "dangling.pdf"]) {
          assert.deepInclude(
            yield* Effect.flip(sources.resolve(path, tenant)),
            { _tag: "SourceUnavailable", retryable: false },
            path
          )
        }
      })
    )
  )

  it.effect("refuses every path when there is no inbox, and says what to do", () =>
    Effect.gen(function* () {
      const sources = yield* Sources
      const error = yield* Effect.flip(sources.resolve("a.pdf", tenant))
      assert.strictEqual(error.failure.code, "SOURCE_REFUSED")
      assert.include(error.message, "INBOX_DIR")
    }).pipe(Effect.provide(layer({ inbox: undefined, fetchTimeout })))
  )
})

describe("reading a file", () => {
  it.effect("streams it in portions", () =>
    withInbox((folder) =>
      Effect.gen(function* () {
        const sources = yield* Sources
        const bytes = Buffer.alloc(600_000, "pdf")
        writeFileSync(join(folder, "large.pdf"), bytes)
        const chunks = yield* Stream.runCollect(sources.readFile(join(folder, "large.pdf")))
        assert.isAbove(chunks.length, 1)
        assert.isTrue(Buffer.concat(chunks).equals(bytes))
        writeFileSync(join(folder, "empty.pdf"), "")
        assert.strictEqual(yield* textOf(sources.readFile(join(folder, "empty.pdf"))), "")
      })
    )
  )

  it.effect("does not follow what the path was changed into after it was resolved", () =>
    withInbox((folder, root) =>
      Effect.gen(function* () {
        const sources = yield* Sources
        const file = join(folder, "a.pdf")
        rmSync(file)
        symlinkSync(join(root, "outside.pdf"), file)
        assert.strictEqual((yield* Effect.flip(textOf(sources.readFile(file))))._tag, "SourceUnavailable")
        rmSync(file)
        linkSync(join(root, "outside.pdf"), file)
        const linked = yield* Effect.flip(textOf(sources.readFile(file)))
        assert.match(linked.message, /has other names/)
        const inner = join(folder, "sub", "near.pdf")
        renameSync(join(folder, "sub"), join(folder, "moved"))
        symlinkSync(join(root, "inbox-other"), join(folder, "sub"))
        assert.strictEqual((yield* Effect.flip(textOf(sources.readFile(inner))))._tag, "SourceUnavailable")
        for (const path of [join(root, "outside.pdf"), join(folder, "pipe.pdf"), folder, join(folder, "missing.pdf")]) {
          const error = yield* Effect.flip(textOf(sources.readFile(path)))
          assert.deepInclude(error, { _tag: "SourceUnavailable", retryable: false }, path)
        }
      })
    )
  )

  it.effect("serves a layer that was built before the inbox existed", () =>
    Effect.gen(function* () {
      const { root } = yield* inbox
      const late = join(root, "late")
      yield* Effect.gen(function* () {
        const sources = yield* Sources
        assert.strictEqual((yield* Effect.flip(sources.resolve("a.pdf", tenant)))._tag, "SourceUnavailable")
        mkdirSync(late)
        writeFileSync(join(late, "a.pdf"), "late")
        const source = yield* sources.resolve("a.pdf", tenant)
        assert.strictEqual(source._tag === "File" ? yield* textOf(sources.readFile(source.path)) : "", "late")
      }).pipe(Effect.provide(layer({ inbox: late, fetchTimeout })))
    })
  )
})
