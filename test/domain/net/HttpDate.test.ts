import { assert, it } from "@effect/vitest"
import { parseHttpDate, retryAfterMillis } from "../../../src/domain/net/HttpDate.ts"

const now = Date.UTC(2026, 0, 1)
const sunday = Date.UTC(1994, 10, 6, 8, 49, 37)

it("A date of HTTP is read in its three forms", () => {
  for (const text of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]) {
    assert.strictEqual(parseHttpDate(text, now), sunday, text)
  }
  assert.strictEqual(parseHttpDate("Saturday, 29-Feb-76 00:00:00 GMT", now), Date.UTC(2076, 1, 29))
  assert.strictEqual(parseHttpDate("Friday, 01-Jan-77 00:00:00 GMT", now), Date.UTC(1977, 0, 1))
  assert.strictEqual(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", now), Date.UTC(2017, 0, 1))
  assert.strictEqual(parseHttpDate("Mon, 01 Jan 0001 00:00:00 GMT", now), Date.parse("0001-01-01T00:00:00Z"))
})

it("What only JavaScript reads as a date is none, nor is a day that does not exist", () => {
  for (const text of [
    "",
    "5",
    "2030",
    "2030-01-01",
    "2030-01-01T00:00:00Z",
    "1 Jan 2030",
    "Jan 1 2030 10:00",
    "Tue, 01 Jan 2030 13:00:00",
    "Tue, 01 Jan 2030 13:00:00 +0100",
    "Tue, 01 Jan 2030 13:00:00 UTC",
    "Tue, 1 Jan 2030 13:00:00 GMT",
    "tue, 01 jan 2030 13:00:00 gmt",
    "Sun, 30 Feb 2030 00:00:00 GMT",
    "Sun, 00 Jan 2030 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "x Sun, 06 Nov 1994 08:49:37 GMT"
  ]) {
    assert.isUndefined(parseHttpDate(text, now), text)
  }
})

it("Retry-After is seconds or a date; anything else counts as absent", () => {
  assert.strictEqual(retryAfterMillis("7", now), 7_000)
  assert.strictEqual(retryAfterMillis(" 007 ", now), 7_000)
  assert.strictEqual(retryAfterMillis("Thu, 01 Jan 2026 00:00:05 GMT", now), 5_000)
  assert.strictEqual(retryAfterMillis("Thu, 01 Jan 2015 00:00:05 GMT", now), 0)
  for (const nothing of [undefined, "", "soon", "-5", "+5", "1e2", "1.5", "0x10", "2030-01-01", "7, 8"]) {
    assert.isUndefined(retryAfterMillis(nothing, now), nothing)
  }
})
