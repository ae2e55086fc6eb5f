import { Schema } from "effect"
import { DocumentStatus } from "../../../domain/document/Document.ts"
import { DocumentId, documentIdExample } from "../../../domain/Ids.ts"

/** The outcome of each item of a submission. One refused item does not affect the others. */

export const Links = Schema.Struct({
  self: Schema.String,
  pages: Schema.String,
  text: Schema.String,
  markdown: Schema.String,
  html: Schema.String,
  json: Schema.String,
  artifacts: Schema.String
})

export const linksOf = (id: string): typeof Links.Type => {
  const self = `/v1/documents/${id}`
  return {
    self,
    pages: `${self}/pages`,
    text: `${self}/text`,
    markdown: `${self}/markdown`,
    html: `${self}/html`,
    json: `${self}/json`,
    artifacts: `${self}/artifacts`
  }
}

export const AcceptedDocument = Schema.Struct({
  id: DocumentId,
  name: Schema.String,
  status: DocumentStatus,
  duplicateOf: Schema.optionalKey(
    DocumentId.annotate({
      description: "The tenant had the bytes already: this is the existing document. `force` makes a new one."
    })
  ),
  links: Links
})

export const RefusedDocument = Schema.Struct({
  name: Schema.String,
  error: Schema.Struct({
    code: Schema.String,
    message: Schema.String,
    advice: Schema.optionalKey(Schema.String),
    limit: Schema.optionalKey(Schema.Finite),
    retryAfter: Schema.optionalKey(
      Schema.Natural.annotate({ description: "Seconds after which to send this item again." })
    )
  })
})

/** Set when reading stopped before the end of a form. */
export const Truncated = Schema.Literal(true).annotate({
  description: "Reading stopped after a refusal. Files after the last one listed were not read: send them again."
})

export const acceptedExample = {
  id: documentIdExample,
  name: "report.pdf",
  status: "queued",
  links: linksOf(documentIdExample)
} as const

export const refusedExample = {
  name: "notes.txt",
  error: {
    code: "NOT_PDF",
    message: "there is no %PDF- header in the first 1024 bytes",
    advice: "Send a file that starts with a %PDF header."
  }
} as const

export const DocumentOutcome = Schema.Union([AcceptedDocument, RefusedDocument])
export type DocumentOutcome = typeof DocumentOutcome.Type
