import { assert, it } from "@effect/vitest"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { BlobStoreUnavailable } from "../../src/services/BlobStore.ts"
import { failedForSpace } from "../../src/services/StorageHealth.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"

const withFields = (fields: object) => Object.assign(new Error("failed"), fields)

it("A store that failed because its disk is full is told from one that is broken", () => {
  const inSql = (cause: unknown) => new SqlError({ reason: new UnknownError({ cause }) })
  for (const [cause, expected] of [
    [withFields({ code: "ENOSPC" }), true],
    [withFields({ code: "EDQUOT" }), true],
    [inSql(withFields({ code: "ERR_SQLITE_ERROR", errcode: 13 })), true],
    [inSql(withFields({ code: "53100" })), true],
    [withFields({ code: "EIO" }), false],
    [inSql(withFields({ code: "ERR_SQLITE_ERROR", errcode: 10 })), false],
    [new Error("no space left"), false],
    ["ENOSPC", false],
    [undefined, false]
  ] as const) {
    assert.strictEqual(failedForSpace(new StoreUnavailable({ operation: "x", cause })), expected, String(cause))
    assert.strictEqual(failedForSpace(new BlobStoreUnavailable({ operation: "x", cause })), expected, String(cause))
  }
  const circular: { cause?: unknown } = {}
  circular.cause = circular
  assert.isFalse(failedForSpace(circular))
})
