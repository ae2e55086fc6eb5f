import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { HttpBody } from "effect/http"
import { sluiceHere } from "../cli/harness.ts"
import { assertProblem, post, postJson, postPdf } from "../http/client.ts"
import { makeAesPdf } from "../support/aes256.ts"
import { acceptedId, filesWith, finished, pagesOf, Premises, service } from "../support/service.ts"

const password = "κωδικός 🗝️ пароль"

/** A document that asked for its password in vain. */
const locked = Effect.fnUntraced(function* (query: string) {
  const id = yield* acceptedId(yield* postPdf(`/v1/documents?force=true&${query}`, {}, makeAesPdf(password)))
  assert.deepInclude((yield* finished(id)).error, { code: "PASSWORD_REQUIRED" })
  return id
})

layer(service(), { excludeTestServices: true })("A password of any characters", (it) => {
  it.effect("opens a document when it comes in the body of a retry", () =>
    Effect.gen(function* () {
      const id = yield* locked("name=body.pdf")
      const path = `/v1/documents/${id}/retry`
      assert.strictEqual((yield* postJson(path, { password: "κλειδί" })).status, 202)
      assert.deepInclude((yield* finished(id)).error, { code: "PASSWORD_INVALID" })
      assertProblem(yield* postJson(path, {}), 409, "PASSWORD_REQUIRED")
      assertProblem(yield* post(path, HttpBody.empty), 409, "PASSWORD_REQUIRED")
      assert.strictEqual((yield* postJson(path, { password }, { "x-pdf-password": "not this one" })).status, 202)
      assert.strictEqual((yield* finished(id)).status, "completed")
      assert.strictEqual((yield* pagesOf(id)).pages[0]?.text, "Behind the password")
    })
  )

  it.effect("is sent so by the command line", () =>
    Effect.gen(function* () {
      const id = yield* locked("name=command.pdf")
      const { code, err } = yield* sluiceHere(["retry", id], { SLUICE_PDF_PASSWORD: password })
      assert.strictEqual(code, 0, err)
      assert.strictEqual((yield* finished(id)).status, "completed")
    })
  )

  it.effect("leaves no trace in files and logs", () =>
    Effect.gen(function* () {
      const id = yield* locked("name=trace.pdf")
      assert.strictEqual((yield* postJson(`/v1/documents/${id}/retry`, { password })).status, 202)
      assert.strictEqual((yield* finished(id)).status, "completed")
      const { directory, logs } = yield* Premises
      assert.deepStrictEqual(filesWith(directory, password), [])
      assert.isEmpty(logs.filter((line) => line.includes(password)))
    })
  )
})
