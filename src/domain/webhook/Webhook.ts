import type { Document } from "../document/Document.ts"

/** A tenant's settings for webhooks about the ends of its documents. Moments are milliseconds since the epoch. */
export interface Webhook {
  /** Receives the end of every document without a callback of its own. Without a URL, only such callbacks are sent, signed. */
  readonly url: string | undefined
  /** Newest first, at most two: the previous one stays valid for a while, so that receivers can switch. */
  readonly secrets: ReadonlyArray<WebhookSecret>
  readonly createdAt: number
  /** When the URL was last changed. A delivery counts for the health of the endpoint only if this has not changed since. */
  readonly changedAt: number
  /** Since when every delivery to the URL has failed. */
  readonly failingSince: number | undefined
  /** Nothing is delivered to the URL until it is set again. */
  readonly disabled: { readonly at: number; readonly reason: string } | undefined
}

export interface WebhookSecret {
  readonly sealed: string
  readonly createdAt: number
  /** Undefined for the newest secret, which does not expire. */
  readonly expiresAt: number | undefined
}

/** One attempt to deliver the end of a document. */
export interface Delivery {
  readonly at: number
  /** Counts from one, and from one again when the document is retried or delivered again by hand. */
  readonly attempt: number
  /** Scheme, host and port only: the rest of a URL may contain a token. Empty when there was no URL to deliver to. */
  readonly endpoint: string
  /** Absent when there was no answer. */
  readonly status: number | undefined
  /** Absent when it was delivered. */
  readonly error: string | undefined
  readonly elapsedMillis: number
  /** The time of the next attempt; absent when there is none. */
  readonly nextAt: number | undefined
}

/** A delivery as it is given to the log, which numbers it. */
export type DeliveryRecord = Omit<Delivery, "attempt">

/** How many deliveries the log of a document keeps: the latest ones. */
export const deliveriesKept = 50

export interface DeliveryLog {
  /** Latest first. */
  readonly deliveries: ReadonlyArray<Delivery>
  readonly nextAt: number | undefined
}

/** The end of a document that is to be delivered, claimed by a runner. */
export interface PendingCallback {
  /** Without its outline. */
  readonly document: Document
  /** The document's own callback; without one, the end is delivered to the tenant's endpoint. */
  readonly callback: string | undefined
  /** The tenant's webhook, if it has one. */
  readonly webhook: Webhook | undefined
  readonly deliveries: number
  readonly dueAt: number
  /** The number of this claim of the callback: a later claim has a higher one. */
  readonly claim: number
}

/**
 * The health of the tenant's endpoint after a delivery: it works, or it failed. An endpoint that has failed for
 * `toleranceMillis` without a success is disabled for the reason.
 */
export type EndpointHealth = "works" | { readonly toleranceMillis: number; readonly reason: string }
