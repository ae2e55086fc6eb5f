import { Schema } from "effect"
import { DownstreamName } from "../../../domain/downstream/Downstream.ts"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import { DownstreamSettings, type DownstreamsRecord } from "../../downstreams/DownstreamSettings.ts"
import type { StageSettings, StagesRecord } from "./StageSettings.ts"

// Commands and targets have a downstream each, under whose limits they run: the one that they name, or one of their own.

const make = Schema.decodeSync(DownstreamSettings)

/** A hung file must not stop those of others, so time-outs of a command open no breaker. */
const ofCommand = make({ concurrency: 1, breaker: false, timeout: { whole: "2m" } })
const ofTarget = make({ concurrency: 4, timeout: { whole: "2m" } })

/** The name of the downstream under whose limits the stage runs. */
export const downstreamOf = (name: string, { downstream }: StageSettings): DownstreamName =>
  downstream ?? DownstreamName.make(name)

/** The declared downstreams, and those that commands and targets have of their own without declaring them. */
export const withOwnDownstreams = (stages: StagesRecord, declared: DownstreamsRecord): DownstreamsRecord => {
  const own: Array<readonly [DownstreamName, DownstreamSettings]> = []
  for (const [name, settings] of Object.entries(stages)) {
    const downstream = downstreamOf(name, settings)
    if (settings.type !== "http" && settings.downstream === undefined && !Object.hasOwn(declared, downstream)) {
      own.push([downstream, settings.type === "command" ? ofCommand : ofTarget])
    }
  }
  return own.length === 0 ? declared : { ...declared, ...Object.fromEntries(own) }
}

interface Mistake {
  readonly path: ReadonlyArray<string>
  readonly issue: string
}

/** What a stage says that its surroundings forbid; paths begin at the stage. */
const mistakesOf = (
  name: string,
  settings: StageSettings,
  stages: StagesRecord,
  others: ReadonlySet<string>,
  declared: DownstreamsRecord
): ReadonlyArray<Mistake> => {
  const { downstream, needs } = settings
  const settingsOf = downstream !== undefined && Object.hasOwn(declared, downstream) ? declared[downstream] : undefined
  return [
    ...(downstream !== undefined && settingsOf === undefined
      ? [{ path: [name, "downstream"], issue: `there is no downstream ${downstream}` }]
      : []),
    ...(settings.type === "http" && settingsOf !== undefined && settingsOf.url === undefined
      ? [{ path: [name, "downstream"], issue: `the downstream ${settings.downstream} has no url` }]
      : []),
    ...needs.flatMap((needed, at) =>
      Object.hasOwn(stages, needed) || others.has(needed)
        ? []
        : [{ path: [name, "needs", String(at)], issue: `there is no stage ${needed}` }]
    )
  ]
}

/** What does not go together of stages and downstreams. `others`: stages that are given in another way. */
export const stageMistakes = (
  stages: StagesRecord,
  declared: DownstreamsRecord,
  others: ReadonlyArray<StageName> = []
): ReadonlyArray<Mistake> =>
  Object.entries(stages).flatMap(([name, settings]) => mistakesOf(name, settings, stages, new Set(others), declared))
