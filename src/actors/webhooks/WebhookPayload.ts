import { Effect, Schema } from "effect"
import { Document } from "../../domain/document/Document.ts"
import { textPipeline } from "../../domain/pipeline/Pipeline.ts"
import type { Webhook } from "../../domain/webhook/Webhook.ts"
import { signaturesOf } from "../../domain/webhook/WebhookSignature.ts"
import type { Secrets } from "../../services/secrets/Secrets.ts"

// The body of a webhook: the document as the HTTP interface shows it, without its outline (which may be long), its links and
// the fields that concern only the service.

const { failure: error, outline: _, waiting: __, trace: ___, ...fields } = Document.fields

export const DocumentEnded = Schema.Struct({
  type: Schema.Literals(["document.completed", "document.partial", "document.failed", "document.cancelled"]),
  /** When the document ended. */
  timestamp: Schema.DateTimeUtcFromString,
  data: Schema.Struct({ ...fields, error })
})

const encode = Schema.encodeUnknownEffect(Schema.fromJsonString(DocumentEnded))

/** A retried document ends again, and its receiver must not take this for a repetition. Ids contain no full stop. */
export const webhookMessageId = ({ id, retries }: Document): string => (retries === 0 ? id : `${id}_${retries}`)

/** A document with an owed delivery has ended, so it always matches this schema. Fields outside the schema are left out. */
export const webhookBody = (document: Document): Effect.Effect<string> =>
  Effect.orDie(
    encode({
      type: `document.${document.status}`,
      timestamp: document.timings.finishedAt ?? document.timings.acceptedAt,
      data: {
        ...document,
        pipeline: document.pipeline ?? textPipeline,
        ...(document.failure === undefined ? {} : { error: document.failure })
      }
    })
  )

/** The headers, with a signature for each secret that is valid now. Without a webhook there is no secret and no signature. */
export const webhookHeaders = Effect.fnUntraced(function* (
  secrets: Secrets["Service"],
  webhook: Webhook | undefined,
  message: { readonly id: string; readonly body: string },
  now: number
) {
  const timestamp = Math.floor(now / 1000)
  const headers = { "webhook-id": message.id, "webhook-timestamp": String(timestamp) }
  if (webhook === undefined) return headers
  const valid = webhook.secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
  const opened = yield* Effect.forEach(valid, ({ sealed }) => secrets.open(sealed))
  return { ...headers, "webhook-signature": signaturesOf(opened, { ...message, timestamp }) }
})
