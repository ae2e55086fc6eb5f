// What a child that recognises text is asked, and what it answers.
import { Schema } from "effect"

export const OcrTask = Schema.Struct({ languages: Schema.String, dpi: Schema.Int })
export interface OcrTask extends Schema.Schema.Type<typeof OcrTask> {}
export const isOcrTask: (value: unknown) => value is OcrTask = Schema.is(OcrTask)

/** Of the TSV of a page: one with 20,000 words has two megabytes. */
export const mostAnswerBytes = 8 * 1024 * 1024
