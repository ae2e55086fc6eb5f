import { Effect } from "effect"
import { Command } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { PipelineList } from "../../../http/api/pipelines/Pipelines.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { show } from "../../Json.ts"
import { table } from "../../Text.ts"

type Step = (typeof PipelineList.Type)["pipelines"][number]["stages"][number]

/** `ocr 1 (scanned pages, gives text, calls ocr)` */
const stepOf = ({ downstream, kind, optional, pages, provides, stage, version }: Step): string => {
  const what = [
    kind === "page" ? `${pages ?? "all"} pages` : kind,
    provides === "text" ? "gives text" : undefined,
    optional ? "optional" : undefined,
    downstream === undefined ? undefined : `calls ${downstream}`
  ]
  return `${stage} ${version} (${what.filter((part) => part !== undefined).join(", ")})`
}

const linesOf = ({ default: standard, pipelines }: typeof PipelineList.Type): ReadonlyArray<string> =>
  table(
    pipelines.flatMap(({ name, stages }) => {
      const title = name === standard ? `${name} (default)` : name
      return stages.length === 0
        ? [[title, "reads the text of the pages"] as const]
        : stages.map((step, index) => [index === 0 ? title : "", stepOf(step)] as const)
    })
  )

const listed = Effect.gen(function* () {
  const sluice = yield* SluiceClient
  yield* show(PipelineList, yield* sluice.pipelines, linesOf)
})

export const pipelines = Command.make("pipelines", connection, (input) => reported(connected(listed, input))).pipe(
  Command.withDescription("Shows the pipelines that documents may name, with the stages that each goes through.")
)
