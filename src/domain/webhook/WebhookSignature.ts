import { createHmac } from "node:crypto"
import { Redacted } from "effect"

// Signatures of Standard Webhooks 1: HMAC-SHA256 over the id, the timestamp and the body as they are sent.

const prefix = "whsec_"

/** How many random bytes a secret has. */
export const secretBytes = 32

/** The text form of a secret, for people to copy. */
export const toSecret = (bytes: Uint8Array): Redacted.Redacted =>
  Redacted.make(`${prefix}${Buffer.from(bytes).toString("base64")}`, { label: "webhook secret" })

/** One signature for each secret, so that a receiver which knows any of them can verify the message. */
export const signaturesOf = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  message: { readonly id: string; readonly timestamp: number; readonly body: string }
): string =>
  secrets
    .map((secret) => {
      const key = Buffer.from(Redacted.value(secret).slice(prefix.length), "base64")
      const content = `${message.id}.${message.timestamp}.${message.body}`
      return `v1,${createHmac("sha256", key).update(content).digest("base64")}`
    })
    .join(" ")
