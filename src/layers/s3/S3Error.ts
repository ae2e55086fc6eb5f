import { Schema } from "effect"

/** There is no object with this key. */
export class S3NotFound extends Schema.TaggedError<S3NotFound>()("S3NotFound", { key: Schema.String }) {
  override get message() {
    return `there is no object ${this.key}`
  }
}

/** Why a call to an S3 server failed. */
export const S3Reason = Schema.Literals([
  /** The server does not know the key id, or the secret is another. */
  "wrong-key",
  /** The key is known and may not do this. */
  "not-allowed",
  "no-bucket",
  /** The bucket is in another region, or the signature names another. */
  "other-region",
  "clocks-apart",
  /** No connection, or no answer in time. */
  "unreachable",
  /** The server answers that it cannot answer now. */
  "busy",
  /** The bytes that arrived are not those that were sent. */
  "damaged",
  /** The right to do it has run out. */
  "too-late",
  /** Any other refusal. */
  "refused"
])
export type S3Reason = typeof S3Reason.Type

const advice: Readonly<Record<S3Reason, string>> = {
  "wrong-key": "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if the key needs one",
  "not-allowed": "allow this key to get, put, delete and list objects in the bucket",
  "no-bucket": "create the bucket, or correct its name",
  "other-region": "set S3_REGION to the region of the bucket",
  "clocks-apart": "set the clock of this machine or of the server, by NTP",
  unreachable: "see whether the server runs, and whether S3_ENDPOINT is its address",
  busy: "it is tried again; if it lasts, see the server's log",
  damaged: "see whether a proxy between here and the server changes bodies",
  "too-late": "the next sweep does it; if it lasts, set the clocks of this machine and of the server, by NTP",
  refused: "see the server's log"
}

/** Reasons that may pass by themselves. */
const passing: ReadonlySet<S3Reason> = new Set(["busy", "damaged", "unreachable"])

/** An S3 server failed to do a call. Its text names the bucket and the key id, never a secret. */
export class S3Failed extends Schema.TaggedError<S3Failed>()("S3Failed", {
  reason: S3Reason,
  bucket: Schema.String,
  /** What was tried, such as `put an object`. */
  operation: Schema.String,
  detail: Schema.String,
  /** How long the server asked to wait. */
  retryAfterMillis: Schema.optionalKey(Schema.Number)
}) {
  get isPassing(): boolean {
    return passing.has(this.reason)
  }

  get advice(): string {
    return advice[this.reason]
  }

  override get message() {
    return `bucket ${this.bucket}: could not ${this.operation}: ${this.detail}; ${this.advice}`
  }
}
