/** Turns rows of endpoints and of the log of deliveries into domain values. */
import type { Delivery, Webhook } from "../../domain/webhook/Webhook.ts"
import { number, optional, optionalText, type Row, text } from "./documentRows.ts"

/** Their names differ from those of a document's columns. */
export const webhookColumns = `w.url, w.created_at, w.changed_at, w.secret, w.secret_created_at, w.old_secret, w.old_secret_created_at,
  w.old_secret_expires_at, w.failing_since, w.disabled_at, w.disabled_reason`

export const toWebhook = (row: Row): Webhook => {
  const old = optionalText(row, "old_secret")
  const disabledAt = optional(row, "disabled_at", number)
  return {
    url: optionalText(row, "url"),
    secrets: [
      { sealed: text(row, "secret"), createdAt: number(row, "secret_created_at"), expiresAt: undefined },
      ...(old === undefined
        ? []
        : [
            {
              sealed: old,
              createdAt: number(row, "old_secret_created_at"),
              expiresAt: number(row, "old_secret_expires_at")
            }
          ])
    ],
    createdAt: number(row, "created_at"),
    changedAt: number(row, "changed_at"),
    failingSince: optional(row, "failing_since", number),
    disabled: disabledAt === undefined ? undefined : { at: disabledAt, reason: text(row, "disabled_reason") }
  }
}

export const toDelivery = (row: Row): Delivery => ({
  at: number(row, "at"),
  attempt: number(row, "attempt"),
  endpoint: text(row, "endpoint"),
  status: optional(row, "status", number),
  error: optionalText(row, "error"),
  elapsedMillis: number(row, "elapsed_millis"),
  nextAt: optional(row, "next_at", number)
})
