/** What runners ask of each other's page workers, over the connections that they have anyway. */
import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { OutlineItem, PdfMetadata } from "../../../domain/document/Document.ts"
import { PageNumber, PageStatus } from "../../../domain/document/Page.ts"
import { Warnings } from "../../../domain/document/Warning.ts"
import { Failure } from "../../../domain/Failure.ts"
import { BlobHash } from "../../../domain/Ids.ts"
import { PdfEngineError } from "../../../services/PdfEngine.ts"
import { PoolName } from "../../../services/pools/Pools.ts"

/** A `PageResult`. What the worker has encoded stays as it is. */
const PageResult = Schema.Struct({
  number: PageNumber,
  status: PageStatus,
  width: Schema.Finite,
  height: Schema.Finite,
  rotation: Schema.Finite,
  text: Schema.String,
  lines: Schema.String,
  layout: Schema.optionalKey(Schema.Uint8Array),
  error: Schema.UndefinedOr(Failure),
  warnings: Warnings,
  elapsedMillis: Schema.Finite
})

const file = {
  /** A runner that has another name was started again, and has nothing to do with the turn. */
  pool: PoolName,
  key: Schema.String,
  hash: BlobHash,
  /** It goes nowhere but through the encrypted connection between two runners. */
  password: Schema.UndefinedOr(Schema.RedactedFromValue(Schema.String))
}

const OpenPdf = Rpc.make("OpenPdf", {
  payload: { ...file, head: Schema.Struct({ pages: Schema.Natural, concurrency: Schema.Natural }) },
  success: Schema.Struct({
    pageCount: Schema.Number,
    metadata: PdfMetadata,
    outline: Schema.Array(OutlineItem),
    warnings: Warnings,
    head: Schema.optionalKey(Schema.Array(PageResult)),
    headMillis: Schema.optionalKey(Schema.Number),
    suspects: Schema.optionalKey(Schema.Array(PageNumber))
  }),
  error: PdfEngineError
})

const ReadPages = Rpc.make("ReadPages", {
  payload: { ...file, pages: Schema.Array(PageNumber), concurrency: Schema.Natural },
  success: PageResult,
  error: PdfEngineError,
  stream: true
})

const ClosePdf = Rpc.make("ClosePdf", { payload: { pool: PoolName, key: Schema.String } })

export const PoolRpcs = RpcGroup.make(OpenPdf, ReadPages, ClosePdf)
