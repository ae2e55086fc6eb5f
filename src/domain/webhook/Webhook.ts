import type { Document } from "../document/Document.ts"

/** What a tenant has said about being told of the ends of its documents. Moments are milliseconds since the epoch. */
export interface Webhook {
  /** Told of every document that names no callback of its own. Without it, callbacks of documents are signed, and no more. */
  readonly url: string | undefined
  /** Newest first, at most two: the one before stays valid for a while, so that receivers can change over. */
  readonly secrets: ReadonlyArray<WebhookSecret>
  readonly createdAt: number
  /** Of the URL. What is learned of the endpoint counts as long as this has not changed. */
  readonly changedAt: number
  /** Since when every delivery to the URL has failed. */
  readonly failingSince: number | undefined
  /** Nothing is delivered to the URL until it is set again. */
  readonly disabled: { readonly at: number; readonly reason: string } | undefined
}

export interface WebhookSecret {
  readonly sealed: string
  readonly createdAt: number
  /** The newest one does not end. */
  readonly expiresAt: number | undefined
}

/** One try to deliver the end of a document. */
export interface Delivery {
  readonly at: number
  /** Counts from one, and from one again when the document is retried or delivered again by hand. */
  readonly attempt: number
  /** Scheme, host and port only: the rest of a URL may carry a token. Empty when there was nowhere to go. */
  readonly endpoint: string
  /** Absent without an answer. */
  readonly status: number | undefined
  /** Absent when it was delivered. */
  readonly error: string | undefined
  readonly elapsedMillis: number
  /** When it is tried again; absent when it is not. */
  readonly nextAt: number | undefined
}

/** A try as it is told to the log, which numbers it. */
export type DeliveryRecord = Omit<Delivery, "attempt">

/** The log of a document keeps so many tries, the latest. */
export const deliveriesKept = 50

export interface DeliveryLog {
  /** Latest first. */
  readonly deliveries: ReadonlyArray<Delivery>
  readonly nextAt: number | undefined
}

/** The end of a document that is still to be told. */
export interface PendingCallback {
  /** Without its outline. */
  readonly document: Document
  /** The document's own; without it, the end is owed to the tenant's endpoint. */
  readonly callback: string | undefined
  /** Of the tenant, if it has one. */
  readonly webhook: Webhook | undefined
  readonly deliveries: number
  readonly dueAt: number
}

/**
 * What a delivery to the tenant's endpoint says of it: it works, or it failed. Once it has failed for so long without a
 * success in between, it is disabled for the reason.
 */
export type EndpointHealth = "works" | { readonly toleranceMillis: number; readonly reason: string }
