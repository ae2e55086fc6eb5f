import { assert, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { assertProblem, get, postForm, postJson, postPdf, rawConnection, remove } from "../http/client.ts"
import { makeEncryptedPdf, makePdf, manyPages, spinningPage, textPage } from "../support/pdf.ts"
import {
  acceptedId,
  blobsBelow,
  filesWith,
  finished,
  Premises,
  queueStatus,
  service,
  smallBlobs,
  statusOf,
  until
} from "../support/service.ts"

/** A PDF unlike every other: the same bytes again would be no document of their own. */
const pdfSaying = (text: string) => makePdf({ pages: [textPage([text])] })

const encode = (text: string) => new TextEncoder().encode(text)
const headers = (tenant: string) => ({ "x-tenant-id": tenant })

const listed = Effect.fnUntraced(function* (tenant: string) {
  const answer = yield* get("/v1/documents", headers(tenant))
  const documents: ReadonlyArray<unknown> = JSON.parse(answer.text).documents
  return documents
})

const blobs = Effect.map(Premises, ({ directory }) => blobsBelow(directory))

/** Runs what must leave nothing of itself: no document of the tenant, no blob, no file half written. */
const leavingNothing = <A, E, R>(tenant: string, work: (before: number) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* blobs
    yield* work(before.length)
    assert.deepStrictEqual(yield* listed(tenant), [])
    assert.deepStrictEqual(yield* blobs, before)
  })

layer(service({ env: { MAX_UPLOAD_SIZE: "1MiB" } }), { excludeTestServices: true })("A hostile upload", (it) => {
  it.effect("that is no PDF is refused at once and leaves nothing", () =>
    leavingNothing(
      "nothing",
      Effect.fnUntraced(function* () {
        const files = {
          empty: new Uint8Array(),
          html: encode(`<!doctype html><title>${"x".repeat(5000)}</title>`),
          zip: Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(5000)),
          text: encode("PDF-1.7 without the percent sign"),
          // Readers accept junk before the header, but not a book of it.
          late: encode(`${"x".repeat(5000)}%PDF-1.7`)
        }
        for (const file of Object.values(files)) {
          assertProblem(yield* postPdf("/v1/documents", headers("nothing"), file), 422, "NOT_PDF")
        }
      })
    )
  )

  it.effect("that is too large is cut off while it arrives and leaves nothing", () =>
    leavingNothing(
      "large",
      Effect.fnUntraced(function* () {
        const large = new Uint8Array(3 * 1024 ** 2)
        large.set(manyPages(1))
        const answer = yield* postPdf("/v1/documents", headers("large"), large)
        assertProblem(answer, 413, "TOO_LARGE")

        const connection = yield* rawConnection
        yield* connection.write(
          "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: large\r\nContent-Type: application/pdf\r\n" +
            `Content-Length: ${1024 ** 4}\r\n\r\n%PDF-1.7\n`
        )
        yield* connection.flood
        assert.match(yield* connection.arrived, /^HTTP\/1.1 413 /)
        yield* connection.cut
      })
    )
  )

  it.effect("that breaks off half way leaves nothing", () =>
    leavingNothing(
      "cut",
      Effect.fnUntraced(function* (before) {
        const pdf = manyPages(1_000)
        const half = pdf.subarray(0, pdf.length / 2)
        const connection = yield* rawConnection
        yield* connection.write(
          "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: cut\r\nContent-Type: application/pdf\r\n" +
            `Content-Length: ${pdf.length}\r\n\r\n`
        )
        yield* connection.write(half)
        yield* until(blobs, (files) => files.length > before)
        yield* connection.cut
        yield* until(blobs, (files) => files.length === before)
      })
    )
  )

  it.effect("that breaks off in the middle of a form takes back the files that came before", () =>
    leavingNothing(
      "form",
      Effect.fnUntraced(function* (before) {
        const connection = yield* rawConnection
        const part = (name: string) =>
          `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/pdf\r\n\r\n`
        yield* connection.write(
          "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: form\r\nContent-Type: multipart/form-data; boundary=b\r\n" +
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        const chunk = (bytes: Uint8Array) =>
          Buffer.concat([encode(`${bytes.length.toString(16)}\r\n`), bytes, encode("\r\n")])
        yield* connection.write(chunk(encode(part("first.pdf"))))
        yield* connection.write(chunk(manyPages(2)))
        yield* connection.write(chunk(encode(`\r\n${part("second.pdf")}%PDF-`)))
        yield* until(listed("form"), (documents) => documents.length === 1)
        yield* connection.cut
        yield* until(listed("form"), (documents) => documents.length === 0)
        yield* until(blobs, (files) => files.length === before)
      })
    )
  )

  it.effect("that breaks off after a file which the tenant had already leaves that one alone", () =>
    Effect.gen(function* () {
      const known = pdfSaying("known for long")
      const id = yield* acceptedId(yield* postPdf("/v1/documents?name=known.pdf", headers("known"), known))
      yield* finished(id, "known")
      const before = yield* blobs
      const part = (name: string) =>
        `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/pdf\r\n\r\n`
      const head = Buffer.concat([encode(part("known.pdf")), known, encode(`\r\n${part("fresh.pdf")}`), manyPages(7)])
      const rest = encode(`\r\n${part("cut.pdf")}%PDF-`)
      const connection = yield* rawConnection
      yield* connection.write(
        "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: known\r\n" +
          `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${head.length + rest.length + 1}\r\n\r\n`
      )
      yield* connection.write(Buffer.concat([head, rest]))
      yield* until(listed("known"), (documents) => documents.length === 2)
      yield* connection.cut
      yield* until(listed("known"), (documents) => documents.length < 2)
      yield* until(blobs, (files) => files.length <= before.length)
      assert.strictEqual((yield* statusOf(id, "known")).status, "completed")
      assert.deepStrictEqual(yield* blobs, before)
    })
  )

  it.effect("with a length that is none, or two lengths, is refused", () =>
    leavingNothing(
      "lengths",
      Effect.fnUntraced(function* () {
        for (const lengths of ["Content-Length: many", "Content-Length: 9\r\nTransfer-Encoding: chunked"]) {
          const connection = yield* rawConnection
          yield* connection.write(
            `POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: lengths\r\nContent-Type: application/pdf\r\n${lengths}\r\n\r\n%PDF-1.7\n`
          )
          assert.match(yield* connection.answer, /^HTTP\/1.1 400 /)
        }
      })
    )
  )

  it.effect("with a name that is a path, or that hides what it is, has the name kept as it is and nothing more", () =>
    Effect.gen(function* () {
      const { directory } = yield* Premises
      const names = [
        "../../../../etc/passwd.pdf",
        "..\\..\\windows\\system32\\x.pdf",
        `${directory}/blobs/planted.pdf`,
        "nul\u0000byte.pdf",
        "\u202efdp.exe",
        "line\r\nSet-Cookie: a=b.pdf",
        "'; DROP TABLE documents; --.pdf",
        "<script>alert(1)</script>.pdf",
        "名前.pdf"
      ]
      for (const name of names) {
        const path = `/v1/documents?name=${encodeURIComponent(name)}`
        const id = yield* acceptedId(yield* postPdf(path, headers("names"), pdfSaying(`named ${names.indexOf(name)}`)))
        assert.strictEqual((yield* finished(id, "names")).name, name)
      }
      const long = `${"n".repeat(10_000)}.pdf`
      const longHeader = { ...headers("names"), "x-file-name": long }
      const id = yield* acceptedId(yield* postPdf("/v1/documents", longHeader, pdfSaying("long")))
      assert.strictEqual((yield* statusOf(id, "names")).name, long.slice(0, 1024))
      const inForm = yield* postForm([["file", pdfSaying("up"), "../../up.pdf"]], headers("names"))
      assert.include(inForm.text, "up.pdf")
      assert.isFalse(existsSync(join(directory, "blobs", "planted.pdf")))
      const stored = smallBlobs(directory)
      assert.isAtLeast(stored.length, names.length + 2)
      for (const { digest, hash } of stored) assert.strictEqual(hash, digest)
      assert.deepStrictEqual(
        yield* blobs,
        stored.map(({ hash }) => hash)
      )
    })
  )

  it.effect("by another tenant opens no way to a document: the answer is that of one that does not exist", () =>
    Effect.gen(function* () {
      const secret = makePdf({ pages: [textPage(["for acme alone"])] })
      const id = yield* acceptedId(yield* postPdf("/v1/documents", headers("acme"), secret))
      yield* finished(id, "acme")
      const missing = id.replace(/^.{8}/, "00000000")
      for (const path of ["", "/pages", "/pages?detail=lines", "/pages/1", "/text"]) {
        const theirs = yield* get(`/v1/documents/${id}${path}`, headers("zebra"))
        const nobodys = yield* get(`/v1/documents/${missing}${path}`, headers("zebra"))
        assertProblem(theirs, 404, "DOCUMENT_NOT_FOUND")
        assert.strictEqual(theirs.text.replaceAll(id, ""), nobodys.text.replaceAll(missing, ""))
      }
      assertProblem(yield* remove(`/v1/documents/${id}`, headers("zebra")), 404, "DOCUMENT_NOT_FOUND")
      assert.notInclude((yield* get("/v1/documents", headers("zebra"))).text, id)
      assert.strictEqual((yield* queueStatus("", "zebra")).total_processed, 0)
      const hash = createHash("sha256").update(secret).digest("hex")
      assertProblem(yield* postJson("/pdf/ingest", { pdf_ids: [hash] }, headers("zebra")), 422, "SOURCE_REFUSED")
      assert.strictEqual((yield* statusOf(id, "acme")).status, "completed")
    })
  )
})

layer(service(), { excludeTestServices: true })("A password", (it) => {
  const password = "correct-horse-battery"
  const wrong = "wrong-horse-battery"
  const endOf = Effect.fnUntraced(function* (pdf: Uint8Array, given?: string) {
    const extra = given === undefined ? {} : { "x-pdf-password": given }
    const id = yield* acceptedId(yield* postPdf("/v1/documents", { ...headers("vault"), ...extra }, pdf))
    const { attempt, error, metadata, status } = yield* finished(id, "vault")
    assert.strictEqual(attempt, 1)
    return error?.code ?? [status, metadata?.encrypted]
  })

  it.effect("that is empty needs not be given; one that is missing or wrong is told apart, without a second try", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(makeEncryptedPdf("")), ["completed", true])
      assert.deepStrictEqual(yield* endOf(makeEncryptedPdf(""), wrong), ["completed", true])
      const locked = makeEncryptedPdf(password)
      assert.strictEqual(yield* endOf(locked), "PASSWORD_REQUIRED")
      assert.strictEqual(yield* endOf(locked, wrong), "PASSWORD_INVALID")
      assert.deepStrictEqual(yield* endOf(locked, password), ["completed", true])
      const form = yield* postForm(
        [
          ["password", password],
          ["file", locked, "locked.pdf"]
        ],
        headers("vault")
      )
      assert.strictEqual((yield* finished(yield* acceptedId(form), "vault")).status, "completed")
      assertProblem(yield* postPdf(`/v1/documents?password=${password}`), 400, "PASSWORD_IN_URL")
    })
  )

  it.effect("is in no file and in no line of the log, neither while it is kept nor afterwards", () =>
    Effect.gen(function* () {
      const { directory, logs } = yield* Premises
      const tomorrow = "2999-01-01T00:00:00Z"
      const kept = yield* postPdf(
        `/v1/documents?notBefore=${tomorrow}`,
        { ...headers("vault"), "x-pdf-password": password },
        makeEncryptedPdf(password, [textPage(["to be read later"])])
      )
      assert.strictEqual((yield* statusOf(yield* acceptedId(kept), "vault")).status, "scheduled")
      for (const secret of [password, wrong]) {
        for (const form of [secret, Buffer.from(secret).toString("base64"), Buffer.from(secret).toString("hex")]) {
          assert.deepStrictEqual(filesWith(directory, form), [])
          assert.isEmpty(logs.filter((line) => line.includes(form)))
        }
      }
      // The search does find what is there.
      assert.isNotEmpty(filesWith(directory, "vault"))
      assert.isNotEmpty(logs.filter((line) => line.includes("document ended")))
    })
  )
})

it.live("A full queue refuses its tenant with the time to wait, and nobody else", () =>
  Effect.gen(function* () {
    const running = yield* acceptedId(yield* postPdf("/v1/documents", headers("full"), spinningPage()))
    yield* until(statusOf(running, "full"), ({ status }) => status === "running")
    for (const pages of [1, 2, 3]) {
      yield* acceptedId(yield* postPdf("/v1/documents", headers("full"), manyPages(pages)))
    }
    const refused = yield* postPdf("/v1/documents", headers("full"), manyPages(4))
    assertProblem(refused, 429, "TENANT_QUEUE_FULL")
    assert.strictEqual(refused.json.limit, 3)
    assert.isAtLeast(Number(refused.headers["retry-after"]), 1)
    const other = yield* acceptedId(yield* postPdf("/v1/documents", headers("other"), manyPages(2)))
    assert.strictEqual((yield* finished(other, "other")).status, "completed")

    // Room again as soon as the queue moves on.
    yield* remove(`/v1/documents/${running}`, headers("full"))
    yield* until(queueStatus("", "full"), ({ queue_size }) => queue_size === 0)
    yield* acceptedId(yield* postPdf("/v1/documents", headers("full"), manyPages(4)))
  }).pipe(
    Effect.provide(
      service({
        env: {
          PAGE_TIMEOUT: "10h",
          PER_TENANT_PDF_CONCURRENCY: "1",
          TENANT_LIMITS: `{"full":{"backlog":3}}`,
          QUEUE_MAXSIZE: "100"
        }
      })
    )
  )
)
