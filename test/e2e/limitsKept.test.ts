import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { get, patchJson } from "../http/client.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { temporaryFolder } from "../support/service.ts"

it.live("Limits that were changed are kept by a server that is killed right after the answer", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const first = yield* startServer(folder)
    const { limits } = yield* Effect.gen(function* () {
      const answer = yield* patchJson("/v1/tenants/acme", { documents: 4, weight: 2.5, rate: 0.5, paused: true })
      assert.strictEqual(answer.status, 200, answer.text)
      return answer.json
    }).pipe(Effect.provide(clientOf(first)))
    assert.deepInclude(limits, { documents: 4, weight: 2.5, rate: 0.5, burst: 5 })
    yield* first.signal("SIGKILL")
    yield* first.ended
    const kept = yield* get("/v1/tenants/acme").pipe(Effect.provide(clientOf(yield* startServer(folder))))
    assert.deepInclude(kept.json, { tenantId: "acme", paused: true, limits })
  })
)
