// What tenants upload, and what has to come of it. The same seed gives the same uploads.
import { brokenPage, makeEncryptedPdf, makePdf, slowPage, textPage } from "../support/pdf.ts"

export interface Expected {
  readonly status: "completed" | "partial" | "failed"
  readonly code?: string
  /** The text of each page; `undefined` for one that cannot be read. */
  readonly pages: ReadonlyArray<string | undefined>
}

export interface Upload {
  readonly name: string
  readonly tenant: string
  readonly bytes: Uint8Array
  readonly password?: string
  readonly expected: Expected
}

export type Random = () => number

/** Numbers from 0 to 1 that depend on nothing but the seed (mulberry32). */
export const makeRandom = (seed: number): Random => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random() * (high - low + 1))

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const textOf = (name: string, page: number, count: number) => `${name}: page ${page} of ${count}`

export const slowDocument = (name: string, count: number, operators = (_page: number) => 20_000): Uint8Array =>
  makePdf({ pages: numbers(count).map((page) => slowPage(textOf(name, page, count), operators(page))) })

const whole = (name: string, count: number): Expected => ({
  status: "completed",
  pages: numbers(count).map((page) => textOf(name, page, count))
})

/** The page count of an upload that is whole: mostly few, sometimes many. */
const pageCount = (random: Random): number => {
  const kind = random()
  if (kind < 0.6) return between(random, 1, 8)
  return kind < 0.9 ? between(random, 10, 60) : between(random, 100, 200)
}

/** A document that keeps a worker busy for some seconds. */
export const longUpload = (tenant: string, name: string): Upload => ({
  name,
  tenant,
  bytes: slowDocument(name, 100, () => 5_000),
  expected: whole(name, 100)
})

/** The next upload of the tenant. `name` goes into every page, so no two uploads have the same bytes. */
export const nextUpload = (random: Random, tenant: string, name: string): Upload => {
  const upload = (bytes: Uint8Array, expected: Expected) => ({ name, tenant, bytes, expected })
  const kind = random()
  if (kind < 0.55) {
    const count = pageCount(random)
    const pages = numbers(count).map((page) => textPage([textOf(name, page, count)]))
    return upload(makePdf({ pages }), whole(name, count))
  }
  if (kind < 0.75) {
    const count = between(random, 5, 40)
    const operators = between(random, 10_000, 100_000)
    return upload(
      slowDocument(name, count, () => operators),
      whole(name, count)
    )
  }
  if (kind < 0.85) {
    const count = between(random, 3, 20)
    const broken = between(random, 1, count)
    const pages = numbers(count).map((page) => (page === broken ? brokenPage : textPage([textOf(name, page, count)])))
    const texts = numbers(count).map((page) => (page === broken ? undefined : textOf(name, page, count)))
    return upload(makePdf({ pages }), { status: "partial", pages: texts })
  }
  if (kind < 0.9) {
    const bytes = new TextEncoder().encode(`%PDF-1.7\n${name} and no more`)
    return upload(bytes, { status: "failed", code: "CORRUPT", pages: [] })
  }
  const count = between(random, 1, 10)
  const pages = numbers(count).map((page) => textPage([textOf(name, page, count)]))
  const locked = makeEncryptedPdf("open sesame", pages)
  return kind < 0.95
    ? { ...upload(locked, whole(name, count)), password: "open sesame" }
    : upload(locked, { status: "failed", code: "PASSWORD_REQUIRED", pages: [] })
}
