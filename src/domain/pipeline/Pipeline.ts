import { Schema } from "effect"
import { examples } from "../Examples.ts"

/** The name of a step of work on a page or on a document. Operators choose it; `text` is the reading of pages itself. */
export const StageName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_-]{0,62}$/, {
    message: "a stage's name is 1 to 63 lower-case letters, digits, dashes or underscores, and starts with a letter"
  })
).pipe(Schema.brand("StageName"), examples("ocr"))
export type StageName = typeof StageName.Type

/** The reading of pages: the first step of every pipeline. No stage has this name. */
export const readingStage = StageName.make("text")

/** Changes when a stage would make something else of the same input. */
export const StageVersion = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    message: "a stage's version is 1 to 64 letters, digits, dots, dashes or underscores"
  })
).pipe(Schema.brand("StageVersion"), examples("1"))
export type StageVersion = typeof StageVersion.Type

/** The name of a list of stages that documents go through. */
export const PipelineName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_-]{0,62}$/, {
    message: "a pipeline's name is 1 to 63 lower-case letters, digits, dashes or underscores, and starts with a letter"
  })
).pipe(Schema.brand("PipelineName"), examples("ocr"))
export type PipelineName = typeof PipelineName.Type

/** The pipeline that only reads, which documents go through unless another is named. */
export const textPipeline = PipelineName.make("text")

/**
 * What a stage works on. `source`: the file as it was sent, of which it makes the PDF that is read. `page`: one page that was
 * read. `document`: the whole document, when all of its pages have their results.
 */
export const StageKind = Schema.Literals(["source", "page", "document"])
export type StageKind = typeof StageKind.Type

/** The pages that a page stage works on: all, those that are images without text, or those with warnings. */
export const PageSelection = Schema.Literals(["all", "scanned", "warned"])
export type PageSelection = typeof PageSelection.Type
