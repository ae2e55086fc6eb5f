// A document that runs until it is let go: how fast a machine is does not decide what happens before its end.
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { spinningPage, textPage } from "./pdf.ts"
import { allPagesOf, statusOf, until } from "./service.ts"

const textOf = (page: number, pages: number) => `Page ${page} of ${pages}`

/** So many pages that are read at once, and one more that is read until its time limit ends that. */
export const heldDocument = (pages: number): Uint8Array =>
  spinningPage(Array.from({ length: pages }, (_, index) => textPage([textOf(index + 1, pages)])))

/** Settings of a server that does not end a held document. */
export const holding = { PAGE_TIMEOUT: "10h", DOCUMENT_TIMEOUT: "20h" }

/** Settings of a server that ends it, soon after all else of it is read. */
export const lettingGo = { PAGE_TIMEOUT: "1s" }

/** Waits until all pages of the held document but the last have been read. */
export const held = (id: DocumentId, pages: number, tenant?: string) =>
  until(statusOf(id, tenant), ({ progress }) => progress.done === pages)

/** Waits for the end of a held document, which has each page once and with the text that belongs to it. */
export const assertLetGo = Effect.fnUntraced(function* (id: DocumentId, pages: number, tenant?: string) {
  const isEnded = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"
  const document = yield* until(statusOf(id, tenant), isEnded)
  assert.deepStrictEqual(
    [document.status, document.progress],
    ["partial", { pages: pages + 1, done: pages + 1, failed: 1 }]
  )
  const found = yield* allPagesOf(id, tenant)
  assert.deepStrictEqual(
    found.map(({ number, status, text }) => [number, status, text]),
    Array.from({ length: pages + 1 }, (_, index) =>
      index < pages ? [index + 1, "ok", textOf(index + 1, pages)] : [index + 1, "timeout", ""]
    )
  )
  return { document, pages: found }
})
