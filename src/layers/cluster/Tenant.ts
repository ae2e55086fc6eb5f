import { Schema } from "effect"
import * as Entity from "effect/cluster/Entity"
import * as Rpc from "effect/rpc/Rpc"
import { DocumentId } from "../../domain/Ids.ts"

/** Grows with every change of what runners say to each other: those of different protocols do not work together. */
export const protocolVersion = 1

/** What is to be said to a tenant's actor: it may look for work, and these attempts are to be stopped. */
export const News = Schema.Struct({
  wake: Schema.Boolean,
  stops: Schema.Array(Schema.Struct({ documentId: DocumentId, attempt: Schema.Natural }))
})
export type News = typeof News.Type

/** Answered when the messages are in the mailbox. One that is lost or repeated does no harm. */
export const Tell = Rpc.make("Tell", { payload: News.fields })

/** The actor of one tenant, in one of the runners; its id is the tenant's. */
export const Tenant = Entity.make("Tenant", [Tell])
