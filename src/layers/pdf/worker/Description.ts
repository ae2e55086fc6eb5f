// What a file says about itself. Nothing here can fail the document: what cannot be read is left out.
import { Effect } from "effect"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import type { OutlineItem, PdfMetadata } from "../../../domain/document/Document.ts"
import { cutText } from "../../../domain/Text.ts"
import { type Warning, warning, warningsField } from "../../../domain/document/Warning.ts"

const mostOutlineItems = 10_000
const deepestOutline = 64
const longestText = 2_000
/** UTF-8 bytes of all titles of an outline together: every view of the document carries them. */
const mostOutlineBytes = 512 * 1024

type OutlineNode = Awaited<ReturnType<PDFDocumentProxy["getOutline"]>>[number]

const orElse = <A>(promise: () => Promise<A>, fallback: A): Effect.Effect<A> =>
  Effect.catch(Effect.tryPromise(promise), () => Effect.succeed(fallback))

interface Cleaned {
  readonly text: string
  readonly isCut: boolean
}

/** Cut before anything else: a string may have many megabytes. No cut goes through a surrogate pair. */
const clean = (value: string): Cleaned => {
  const some = value
    .slice(0, 4 * longestText)
    .replace(/\u0000/g, "")
    .trim()
  const isCut = some.length > longestText || value.length > 4 * longestText
  return { text: cutText(some, longestText), isCut }
}

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

const readTexts = (get: (key: string) => unknown) => {
  const cut: Array<string> = []
  const texts: Partial<Record<keyof typeof textEntries, string>> = Object.fromEntries(
    Object.entries(textEntries).flatMap(([name, key]) => {
      const value = get(key)
      const { isCut, text } = typeof value === "string" ? clean(value) : { isCut: false, text: "" }
      if (isCut) cut.push(name)
      return text === "" ? [] : [[name, text]]
    })
  )
  const warnings =
    cut.length === 0
      ? []
      : [warning("METADATA_CUT", `Longer than ${longestText} characters, and cut: ${cut.join(", ")}.`)]
  return { texts, warnings }
}

const readMetadata = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  const info: object = yield* orElse(() => document.getMetadata().then((metadata) => metadata.info), {})
  const get = (key: string): unknown => Reflect.get(info, key)
  const { texts, warnings } = readTexts(get)
  const metadata: PdfMetadata = {
    ...texts,
    encrypted: typeof get("EncryptFilterName") === "string",
    hasJavaScript: yield* orElse(() => document.hasJSActions(), false),
    hasAttachments: yield* orElse(
      () => document.getAttachments().then((found) => found !== null && found.size > 0),
      false
    ),
    hasForms: get("IsAcroFormPresent") === true || get("IsXFAPresent") === true,
    hasXfa: get("IsXFAPresent") === true
  }
  return { metadata, warnings }
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
const flatten = (roots: ReadonlyArray<OutlineNode>) => {
  const flat: Array<{ node: OutlineNode; depth: number }> = []
  const rest = roots.map((node) => ({ node, depth: 0 })).reverse()
  let isCut = false
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (flat.length === mostOutlineItems) return { flat, isCut: true }
    flat.push(next)
    const depth = next.depth + 1
    const children: ReadonlyArray<OutlineNode> = next.node.items
    isCut ||= depth >= deepestOutline && children.length > 0
    if (depth >= deepestOutline) continue
    for (let i = children.length - 1; i >= 0; i--) {
      const node = children[i]
      if (node !== undefined) rest.push({ node, depth })
    }
  }
  return { flat, isCut }
}

const readOutline = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  const roots = yield* orElse(() => document.getOutline(), [])
  const outline: Array<OutlineItem> = []
  // pdf.js answers null, against its types, when there is no outline.
  const { flat, isCut } = flatten(roots ?? [])
  let someCut = isCut
  let bytes = 0
  for (const { node, depth } of flat) {
    const title = clean(node.title)
    bytes += Buffer.byteLength(title.text)
    someCut ||= title.isCut
    if (bytes > mostOutlineBytes) {
      someCut = true
      break
    }
    const page = yield* pageOf(document, node.dest)
    outline.push({ title: title.text, depth, ...(page === undefined ? {} : { page }) })
  }
  return { outline, warnings: someCut ? [warning("OUTLINE_CUT")] : [] }
})

/** Warnings of the structure, from the patches of pdf.js: it was put together again, or its page tree is broken. */
const readCondition = (document: PDFDocumentProxy): ReadonlyArray<Warning> => {
  const condition = Object(Reflect.get(Object(Reflect.get(document, "_pdfInfo")), "condition"))
  const tree: unknown = Reflect.get(condition, "tree")
  const broken = Number(Reflect.get(Object(tree), "broken")) || 0
  const claimed = Number(Reflect.get(condition, "claimed"))
  const pages = document.numPages
  return [
    ...(Reflect.get(condition, "repaired") === true ? [warning("DAMAGE_REPAIRED")] : []),
    ...(typeof tree === "object" && tree !== null && (broken > 0 || claimed !== pages)
      ? [
          warning(
            "PAGES_UNREACHABLE",
            broken > 0
              ? `The page tree is damaged: ${broken} of its entries lead to no page. Found were ${pages} pages.`
              : `The page tree claims ${Number.isFinite(claimed) ? claimed : "no number of"} pages, and has ${pages}.`
          )
        ]
      : [])
  ]
}

/** Metadata, outline and warnings of an open document. */
export const describeDocument = Effect.fnUntraced(function* (document: PDFDocumentProxy) {
  const described = yield* readMetadata(document)
  const { outline, warnings } = yield* readOutline(document)
  return {
    pageCount: document.numPages,
    metadata: described.metadata,
    outline,
    ...warningsField([...readCondition(document), ...described.warnings, ...warnings])
  }
})
