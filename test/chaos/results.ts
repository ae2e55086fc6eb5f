// What the interface shows of a document, against what its upload has to come to.
import type { PageAnswer, View } from "./client.ts"
import type { Upload } from "./workload.ts"

export type ShownDocument = Pick<View, "name" | "status"> & {
  readonly id: string
  readonly error?: { readonly code: string } | undefined
}
export type ShownPage = Pick<PageAnswer, "number" | "status" | "text"> & {
  readonly error?: { readonly code: string } | undefined
}

/** What is wrong with the document, page by page. */
export const compare = (upload: Upload, document: ShownDocument, pages: ReadonlyArray<ShownPage>) => {
  const { expected } = upload
  const wrongEnd =
    document.status === expected.status && document.error?.code === expected.code
      ? []
      : [
          `${upload.name} ${document.id}: ${document.status} ${document.error?.code ?? ""} instead of ${expected.status}`
        ]
  const numbers = new Set(pages.map((page) => page.number))
  const missing = expected.pages.filter((_, index) => !numbers.has(index + 1)).length
  const surplus = pages.filter((page) => page.number > expected.pages.length).length
  const wrongPages = pages.flatMap(({ error, number, status, text }) => {
    const wanted = expected.pages[number - 1]
    const right = wanted === undefined ? status === "failed" : status === "ok" && text === wanted
    return right ? [] : [`${upload.name} page ${number}: ${status} ${error?.code ?? ""} ${JSON.stringify(text)}`]
  })
  return { wrongEnd, doubled: pages.length - numbers.size, missing: missing + surplus, wrongPages, pages: pages.length }
}
export type Comparison = ReturnType<typeof compare>
