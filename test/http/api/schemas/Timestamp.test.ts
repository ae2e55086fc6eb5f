import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Schema } from "effect"
import { parseTimestamp, Timestamp } from "../../../../src/http/api/schemas/Timestamp.ts"

const iso = (text: string): string => {
  const moment = parseTimestamp(text)
  return typeof moment === "string" ? moment : DateTime.formatIso(moment)
}

describe("A moment in a request", () => {
  it("is what RFC 3339 writes, in any offset, and UTC without one", () => {
    for (const [text, moment] of [
      ["2030-01-01T22:00:00Z", "2030-01-01T22:00:00.000Z"],
      ["2030-01-01t22:00:00z", "2030-01-01T22:00:00.000Z"],
      ["2030-01-01T22:00:00.5+02:30", "2030-01-01T19:30:00.500Z"],
      ["2030-01-01T22:00:00.123456789-00:00", "2030-01-01T22:00:00.123Z"],
      ["2030-01-01T22:00", "2030-01-01T22:00:00.000Z"],
      ["2030-01-01", "2030-01-01T00:00:00.000Z"],
      ["2032-02-29", "2032-02-29T00:00:00.000Z"],
      ["2000-02-29T23:59:59-23:59", "2000-03-01T23:58:59.000Z"],
      ["0000-02-29", "0000-02-29T00:00:00.000Z"],
      ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
    ] as const) {
      assert.strictEqual(iso(text), moment, text)
    }
  })

  it("is not moved to another day, hour or year where there is none", () => {
    for (const text of [
      "2030-02-30",
      "2030-02-30T00:00:00Z",
      "2030-02-29T00:00:00Z",
      "2100-02-29",
      "1900-02-29",
      "2030-04-31",
      "2030-00-10",
      "2030-13-01",
      "2030-01-00",
      "2030-01-32",
      "2030-01-01T24:00:00Z",
      "2030-01-01T25:00:00Z",
      "2030-01-01T12:60:00Z",
      "2030-01-01T23:59:60Z",
      "2030-06-30T23:59:60+00:00",
      "2030-01-01T00:00:00+24:00",
      "2030-01-01T00:00:00+02:60",
      "2030-01-01T00:00:00+2:00",
      "2030-01-01T00:00:00 02:00",
      "2030-01-01 00:00:00Z",
      "9999-12-31T23:59:59-00:01",
      "0000-01-01T00:00:00+00:01",
      "+012030-01-01T00:00:00Z",
      "-002030-01-01T00:00:00Z",
      "1 Jan 2030",
      "January 2030",
      "2030",
      "2030-01",
      "2030-W01-1",
      "2030-1-1",
      "20300101T000000Z",
      "1893456000",
      "2030-01-01T00:00:00Z[Europe/Berlin]",
      "2030-01-01T00:00:00GMT",
      "٢٠٣٠-٠١-٠١",
      " 2030-01-01",
      "2030-01-01\n",
      ""
    ]) {
      assert.match(iso(text), /^Expected a date and time as RFC 3339 writes it/, text)
    }
    assert.include(iso("2030-02-30"), "the month 2030-02 has no day 30")
    assert.include(iso("2030-01-01T00:00:00 02:00"), "%2B")
  })

  const first = Date.parse("0000-01-01T00:00:00Z")
  const last = Date.parse("9999-12-31T23:59:59Z")
  it.effect.prop(
    "is encoded as text that is decoded to the same moment",
    [Schema.Int.check(Schema.isBetween({ minimum: first, maximum: last }))],
    ([millis]) =>
      Effect.gen(function* () {
        const moment = DateTime.makeUnsafe(millis)
        const text = yield* Schema.encodeEffect(Timestamp)(moment)
        assert.strictEqual(text, new Date(millis).toISOString())
        assert.deepStrictEqual(yield* Schema.decodeEffect(Timestamp)(text), moment)
      })
  )
})
