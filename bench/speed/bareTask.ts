import { Schema } from "effect"

/** What the bare loop is to read, and how. */
export const BareTask = Schema.Struct({
  paths: Schema.Array(Schema.String),
  how: Schema.Struct({
    /** Pages read in the same call that opens the file. */
    head: Schema.Number,
    /** Pages of each further call. */
    rangePages: Schema.Number,
    /** Pages that one worker reads at a time. */
    concurrency: Schema.Number,
    /** Calls under way at once; those that find no worker wait for one. */
    lanes: Schema.Number
  })
})
export type BareTask = typeof BareTask.Type
export type BareSettings = BareTask["how"]

export const BareAnswer = Schema.Struct({ seconds: Schema.Number, pages: Schema.Number })
