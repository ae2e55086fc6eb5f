import { Schema } from "effect"
import { DownstreamName } from "../../../domain/downstream/Downstream.ts"
import { StageName } from "../../../domain/pipeline/Pipeline.ts"
import { stageFields } from "./StageBase.ts"
import { bytes } from "./Values.ts"

// A stage that writes what a document became to a folder or a bucket.

const known: ReadonlySet<string> = new Set(["tenant", "id", "name"])

/** Why a template of a path cannot be one. */
const pathIssue = (template: string): string | undefined => {
  const strange = [...template.matchAll(/\{([^{}]*)\}/g)].find(([, name = ""]) => !known.has(name))
  if (strange !== undefined) return `${strange[0]} is not known: {tenant}, {id}, {name}`
  if (/[{}]/.test(template.replaceAll(/\{[a-z]+\}/g, ""))) return "a brace without its other"
  if (!/\{id\}/.test(template)) return "{id} in it, so that no document overwrites another's"
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(template)) return "no control characters and no backslash"
  const isPlain = template.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..")
  return isPlain ? undefined : "a relative path of plain segments"
}

export const TargetPath = Schema.String.check(Schema.isMaxLength(512), Schema.makeFilter(pathIssue)).annotate({
  description: "Below `to`: `{tenant}/{id}.md`. `{name}` is the document's name, as far as it may stand in a path."
})

const TargetFile = Schema.Struct({
  path: TargetPath,
  content: Schema.Union([
    Schema.Literals(["text", "markdown", "html", "layout"]),
    Schema.Struct({ artifact: StageName })
  ]).annotate({
    description:
      "`text`, `markdown` or `html` of the document, `layout`: its pages with their layouts as JSON, or what a stage made of it."
  })
})
export type TargetFile = typeof TargetFile.Type

export const TargetStageSettings = Schema.Struct({
  type: Schema.tag("target"),
  ...stageFields,
  to: Schema.String.check(
    Schema.makeFilter(
      (text: string) =>
        text.startsWith("/") || /^s3:\/\/[^/]+/.test(text) || "the absolute path of a folder, or s3://bucket/prefix"
    )
  ).annotate({ description: "A folder, by its absolute path, or `s3://bucket/prefix`." }),
  files: Schema.NonEmptyArray(TargetFile),
  downstream: Schema.optionalKey(
    DownstreamName.annotate({
      description:
        "Under whose limits it writes. When absent, one of the stage's name, which is made if it is not declared."
    })
  ),
  maxSize: bytes("256MiB", "The largest file that is written.")
})
  .check(
    Schema.makeFilter(({ files }) => {
      const paths = files.map(({ path }) => path)
      const twice = paths.findIndex((path, at) => paths.indexOf(path) !== at)
      return twice === -1 ? undefined : { path: ["files", twice, "path"], issue: "another file has this path" }
    })
  )
  .annotate({ identifier: "TargetStage", description: "Writes what a document became to a folder or a bucket." })
export interface TargetStageSettings extends Schema.Schema.Type<typeof TargetStageSettings> {}
