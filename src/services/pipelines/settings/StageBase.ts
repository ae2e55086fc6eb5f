import { Effect, Schema } from "effect"
import { StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { AcceptedFile, ImageSettings } from "./Values.ts"

/** What all stages have. */
export const stageFields = {
  version: StageVersion.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1"))).annotateKey({
    description: "Change it when the stage would make something else of the same input."
  }),
  needs: Schema.Array(StageName)
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed([])))
    .annotateKey({ description: "Stages whose artifacts it reads; they come before it in a pipeline." })
}

/** What stages have that work on a file, on a page, or on a document. */
export const workFields = {
  ...stageFields,
  kind: Schema.Literals(["source", "page", "document"]).annotate({
    description:
      "`source`: makes the PDF of a file that is none. `page`: works on one page. `document`: on the whole, after all pages."
  }),
  provides: Schema.Literals(["text", "artifact"])
    .annotate({ description: "Of a page stage. `text`: what it reads becomes the text of the page." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("artifact" as const))),
  accepts: Schema.Array(AcceptedFile)
    .annotate({ description: "Of a source stage: the files that it takes." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  image: ImageSettings.pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))
}

interface Work {
  readonly kind: "source" | "page" | "document"
  readonly provides: "text" | "artifact"
  readonly accepts: ReadonlyArray<unknown>
}

const issue = (field: string, text: string) => ({ path: [field], issue: text })

/** What does not go together. */
export const workIssues = ({ accepts, kind, provides }: Work): Array<Schema.FilterIssue> => [
  ...(kind !== "page" && provides === "text" ? [issue("provides", "only a page stage provides text")] : []),
  ...(kind === "source" && accepts.length === 0 ? [issue("accepts", "the files that a source stage takes")] : []),
  ...(kind !== "source" && accepts.length > 0 ? [issue("accepts", "only a source stage takes files")] : [])
]

const pageOnly: ReadonlySet<string> = new Set(["image", "imageUrl", "page", "layout"])
const readOnly: ReadonlySet<string> = new Set(["text", "markdown", "layout", "pages"])

/** Values of this name that stages of this kind do not have. */
export const missingFor = (kind: Work["kind"], name: string): boolean => {
  if (kind === "source") return pageOnly.has(name) || readOnly.has(name) || name.startsWith("artifact:")
  return kind === "document" && pageOnly.has(name)
}
