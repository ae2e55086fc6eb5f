// A document that runs until it is let go: how fast a machine is does not decide what happens before its end.
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { slowPage, spinningPage, textPage } from "./pdf.ts"
import { allPagesOf, statusOf, until } from "./service.ts"

const textOf = (page: number, pages: number) => `Page ${page} of ${pages}`

/**
 * A worker that is held by the last page does not deliver those that it reads beside it, nor those that came just before. So there are
 * some between it and the others, each of which takes as long as results are gathered.
 */
const between = 8

/** So many pages that are read at once, a few more, and one that is read until its time limit ends that. */
export const heldDocument = (pages: number): Uint8Array =>
  spinningPage(
    Array.from({ length: pages + between }, (_, index) => {
      const text = textOf(index + 1, pages)
      return index < pages ? textPage([text]) : slowPage(text, 30_000)
    })
  )

/** The text of each page of a held document that was let go; undefined for the last. */
export const heldTexts = (pages: number): ReadonlyArray<string | undefined> => [
  ...Array.from({ length: pages + between }, (_, index) => textOf(index + 1, pages)),
  undefined
]

/** Settings of a server that does not end a held document. */
export const holding = { PAGE_TIMEOUT: "10h", DOCUMENT_TIMEOUT: "20h" }

/** Settings of a server that ends it, soon after all else of it is read. */
export const lettingGo = { PAGE_TIMEOUT: "1s" }

/** Waits until as many pages as asked for have been read, while the last holds the document. */
export const held = Effect.fnUntraced(function* (id: DocumentId, pages: number, tenant?: string) {
  const { status } = yield* until(statusOf(id, tenant), ({ progress }) => progress.done >= pages)
  assert.strictEqual(status, "running")
})

/** Waits for the end of a held document, which has each page once and with the text that belongs to it. */
export const assertLetGo = Effect.fnUntraced(function* (id: DocumentId, pages: number, tenant?: string) {
  const isEnded = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"
  const document = yield* until(statusOf(id, tenant), isEnded)
  const texts = heldTexts(pages)
  assert.deepStrictEqual(
    [document.status, document.progress],
    ["partial", { pages: texts.length, done: texts.length, failed: 1 }]
  )
  const found = yield* allPagesOf(id, tenant)
  assert.deepStrictEqual(
    found.map(({ number, status, text }) => [number, status, text]),
    texts.map((text, index) => [index + 1, text === undefined ? "timeout" : "ok", text ?? ""])
  )
  return { document, pages: found }
})

type Pages = Effect.Success<ReturnType<typeof allPagesOf>>

/** What was known of a held document is so still, including how long each page took: that would differ had it been read again. */
export const assertKept = (known: Pages, pages: Pages): void => {
  const numbers = new Set(known.map(({ number }) => number))
  assert.deepStrictEqual(
    pages.filter(({ number }) => numbers.has(number)),
    known
  )
}
