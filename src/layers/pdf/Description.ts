// What a file says about itself. Nothing here can fail the document: what cannot be read is left out.
import { Effect } from "effect"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import type { OutlineItem, PdfMetadata } from "../../domain/Document.ts"

const mostOutlineItems = 10_000
const deepestOutline = 64
const longestText = 2_000

type OutlineNode = Awaited<ReturnType<PDFDocumentProxy["getOutline"]>>[number]

const orElse = <A>(promise: () => Promise<A>, fallback: A): Effect.Effect<A> =>
  Effect.catch(Effect.tryPromise(promise), () => Effect.succeed(fallback))

const clean = (value: string): string =>
  value
    .replace(/\u0000/g, "")
    .trim()
    .slice(0, longestText)

const textEntries = {
  title: "Title",
  author: "Author",
  subject: "Subject",
  keywords: "Keywords",
  creator: "Creator",
  producer: "Producer",
  createdAt: "CreationDate",
  modifiedAt: "ModDate",
  pdfVersion: "PDFFormatVersion"
} as const

const readTexts = (get: (key: string) => unknown): Partial<Record<keyof typeof textEntries, string>> =>
  Object.fromEntries(
    Object.entries(textEntries).flatMap(([name, key]) => {
      const value = get(key)
      const text = typeof value === "string" ? clean(value) : ""
      return text === "" ? [] : [[name, text]]
    })
  )

const readMetadata = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  const info: object = yield* orElse(() => document.getMetadata().then((metadata) => metadata.info), {})
  const get = (key: string): unknown => Reflect.get(info, key)
  const metadata: PdfMetadata = {
    ...readTexts(get),
    encrypted: typeof get("EncryptFilterName") === "string",
    hasJavaScript: yield* orElse(() => document.hasJSActions(), false),
    hasAttachments: yield* orElse(
      () => document.getAttachments().then((found) => found !== null && found.size > 0),
      false
    ),
    hasForms: get("IsAcroFormPresent") === true || get("IsXFAPresent") === true,
    hasXfa: get("IsXFAPresent") === true
  }
  return metadata
})

const pageOf = Effect.fnUntraced(function* (document: PDFDocumentProxy, target: OutlineNode["dest"]) {
  const destination = typeof target === "string" ? yield* orElse(() => document.getDestination(target), null) : target
  const page: unknown = Array.isArray(destination) ? destination[0] : undefined
  const index =
    typeof page === "number"
      ? page
      : typeof page === "object" && page !== null && "num" in page && "gen" in page
        ? yield* orElse(() => document.getPageIndex({ num: Number(page.num), gen: Number(page.gen) }), -1)
        : -1
  return Number.isInteger(index) && index >= 0 && index < document.numPages ? index + 1 : undefined
})

// In the order in which a person reads it: a node, then what is below it. Nodes below the deepest level are left out.
const flatten = (roots: ReadonlyArray<OutlineNode>): ReadonlyArray<{ node: OutlineNode; depth: number }> => {
  const flat: Array<{ node: OutlineNode; depth: number }> = []
  const rest = roots.map((node) => ({ node, depth: 0 })).reverse()
  for (let next = rest.pop(); next !== undefined && flat.length < mostOutlineItems; next = rest.pop()) {
    flat.push(next)
    const depth = next.depth + 1
    if (depth >= deepestOutline) continue
    const children: ReadonlyArray<OutlineNode> = next.node.items
    for (let i = children.length - 1; i >= 0; i--) {
      const node = children[i]
      if (node !== undefined) rest.push({ node, depth })
    }
  }
  return flat
}

const readOutline = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  const roots = yield* orElse(() => document.getOutline(), [])
  const outline: Array<OutlineItem> = []
  // pdf.js answers null, against its types, when there is no outline.
  for (const { node, depth } of flatten(roots ?? [])) {
    const page = yield* pageOf(document, node.dest)
    outline.push({ title: clean(node.title), depth, ...(page === undefined ? {} : { page }) })
  }
  return outline
})

/** Metadata and outline of an open document. */
export const describeDocument = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  return {
    pageCount: document.numPages,
    metadata: yield* readMetadata(document),
    outline: yield* readOutline(document)
  }
})
