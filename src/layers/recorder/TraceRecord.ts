import { Schema } from "effect"
import { DocumentStatus, Priority } from "../../domain/document/Document.ts"
import { FailureCode } from "../../domain/Failure.ts"
import { TenantId } from "../../domain/Ids.ts"
import { PageNumber } from "../../domain/document/Page.ts"
import { TenantLimits } from "../../domain/tenant/TenantLimits.ts"

/**
 * The lines of a trace: submissions, what they cost the workers and how they ended, without names, texts or URLs. Every start
 * of the service begins a recording of its own, with a `Trace`; the moments after it count from there.
 */

/** Increased when an older reader would misunderstand a trace. */
export const traceFormat = 1

const millis = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** Stands for a document within one recording, and does not reveal which one it is. */
export const TraceDocument = Schema.String.check(Schema.isPattern(/^[0-9a-f]{12}$/))

/** How a call of the workers ended: done, or by which failure. */
export const CallEnd = Schema.Literals(["done", "unreadable", "died", "died of memory", "unavailable", "interrupted"])
export type CallEnd = typeof CallEnd.Type

/** `millis` is the page's part of the time of its call. */
export const TracedPage = Schema.Struct({ page: PageNumber, millis, error: Schema.optionalKey(FailureCode) })
export interface TracedPage extends Schema.Schema.Type<typeof TracedPage> {}

const moment = { at: millis }
const subject = { ...moment, document: TraceDocument }
const call = { ...subject, millis, end: CallEnd }

export const TraceRecord = Schema.TaggedUnion({
  Trace: {
    format: Schema.Natural,
    startedAt: Schema.DateTimeUtcFromString,
    workers: Schema.Natural.check(Schema.isGreaterThan(0)),
    /** Documents open and waiting over all tenants, pages of one document, and the time limits of a page and a document. */
    limits: Schema.Struct({
      documents: Schema.Natural,
      backlog: Schema.Natural,
      pages: Schema.Natural,
      pageTimeoutMillis: millis,
      documentTimeoutMillis: millis,
      queueTtlMillis: Schema.optionalKey(millis)
    })
  },
  /** A tenant's limits and pause, when it is first seen and whenever they change. */
  Tenant: { ...moment, tenant: TenantId, limits: TenantLimits, paused: Schema.Boolean },
  Accepted: { ...subject, tenant: TenantId, priority: Priority, notBefore: Schema.optionalKey(Schema.Finite) },
  /** A run begins. */
  Started: { ...subject, tenant: TenantId, priority: Priority },
  /** `head`: pages read by the same call, whose time `millis` does not count. */
  Opened: {
    ...call,
    pages: Schema.optionalKey(Schema.Natural),
    head: Schema.optionalKey(Schema.Array(TracedPage)),
    error: Schema.optionalKey(FailureCode)
  },
  /** `unread`: the other pages asked for, in order, if the call did not end as it should. */
  Read: { ...call, pages: Schema.Array(TracedPage), unread: Schema.optionalKey(Schema.Array(PageNumber)) },
  Ended: { ...subject, status: DocumentStatus },
  Retried: subject,
  /** The number of records missing here: they came faster than they could be written. */
  Lost: { ...moment, records: Schema.Natural }
})
export type TraceRecord = typeof TraceRecord.Type

export const TraceLine = Schema.fromJsonString(TraceRecord)
