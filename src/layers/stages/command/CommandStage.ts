// A stage that is a command of the system, made of its settings.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { ChildProcessSpawner } from "effect/process"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import { Downstreams } from "../../../services/downstreams/Downstreams.ts"
import type { CommandStageSettings } from "../../../services/pipelines/settings/CommandStageSettings.ts"
import { downstreamOf } from "../../../services/pipelines/settings/StageDownstreams.ts"
import { fillTemplate } from "../../../services/pipelines/settings/Values.ts"
import type { Stage } from "../../../services/pipelines/Stage.ts"
import { acceptsHead, acceptsWhole } from "../matter/Accepts.ts"
import {
  type Answered,
  decodeJson,
  decodeText,
  documentOutput,
  pageOutput,
  sourceOutput,
  textContent
} from "../matter/Answer.ts"
import { final } from "../matter/Failures.ts"
import { checkSize, readFile } from "../matter/FileBytes.ts"
import { type DrawPage, type Matter, matterOfDocument, matterOfPage, matterOfSource } from "../matter/Matter.ts"
import { type Directory, inDirectory, type WithDirectory } from "./Directories.ts"
import { launchOf, temporaryFor } from "./Launch.ts"
import { readOutput } from "./Output.ts"
import { checkCode, runCommand } from "./Run.ts"

/** What all commands of an engine share. */
export interface CommandParts {
  readonly directory: WithDirectory
  readonly spawner: ChildProcessSpawner.ChildProcessSpawner["Service"]
  readonly draw: DrawPage
}

/** A file that a command takes is read into memory once. */
const mostInput = 1024 ** 3

/** As an argument a document's name is a word of its own, and never an option. */
const plainName = (name: string): string => name.replaceAll(/[^\p{L}\p{N}. _-]/gu, "_").replace(/^[-.]+/, "_")

const argumentsOf = (
  { run }: CommandStageSettings,
  { page, pages, subject }: Matter,
  temporary: string
): ReadonlyArray<string> => {
  const values = new Map<string, string>([
    ["name", plainName(subject.name)],
    ["id", subject.document],
    ["tenant", subject.tenant],
    ["page", String(page ?? "")],
    ["pages", String(pages ?? "")],
    ["temporary", temporary]
  ])
  return run.map((template) => fillTemplate(template, (name) => values.get(name) ?? ""))
}

/** What the command works on. An image is drawn before its turn has come, since that waits for turns of its own. */
const inputOf = Effect.fnUntraced(function* (matter: Matter, { image, send }: CommandStageSettings) {
  if (send === "nothing") return Effect.succeed(undefined)
  if (send === "image") {
    const { bytes } = yield* matter.image(image)
    return Effect.succeed(bytes)
  }
  if (send === "file") {
    yield* checkSize(matter.location, mostInput)
    return readFile(matter.location, mostInput)
  }
  return Effect.map(matter.text(send, mostInput), (text) => new TextEncoder().encode(text))
})

const writeInput = (directory: Directory, name: string, bytes: Uint8Array) =>
  inDirectory(async () => {
    const path = join(directory.work, name)
    await writeFile(path, bytes, { flag: "wx", mode: 0o600 })
    await directory.give(path)
  })

/** One run in its place; the bytes of its output. */
const makeRun = (settings: CommandStageSettings, isWalled: boolean, { directory, spawner }: CommandParts) =>
  Effect.fnUntraced(
    function* (matter: Matter, bytes: Uint8Array | undefined) {
      const { environment, exitCodes, input, limits, output, reads } = settings
      const own = yield* directory
      if (typeof input === "object" && bytes !== undefined) {
        yield* writeInput(own, input.file, bytes)
      }
      const command = argumentsOf(settings, matter, temporaryFor(isWalled, own))
      const ran = yield* runCommand({
        launch: launchOf(command, { directory: own, limits, reads, environment, isWalled }),
        directory: own,
        limits,
        input: input === "stdin" ? bytes : undefined
      })
      yield* checkCode(ran, exitCodes, limits)
      return output === "stdout" ? ran.stdout : yield* readOutput(own.work, output.file, limits.output)
    },
    Effect.scoped,
    Effect.provideService(ChildProcessSpawner.ChildProcessSpawner, spawner)
  )

const what = "the command's output"

const answeredOf = Effect.fnUntraced(function* (bytes: Uint8Array, { answer, mediaType }: CommandStageSettings) {
  if (answer === "bytes" || answer === "pdf") {
    return { content: { mediaType: mediaType ?? "application/octet-stream", bytes } } satisfies Answered
  }
  if (answer === "json") {
    const value = yield* decodeJson(bytes, what)
    return {
      content: textContent("json", JSON.stringify(value)),
      pageText: typeof value === "string" ? value : undefined
    } satisfies Answered
  }
  return { content: textContent(answer, yield* decodeText(bytes, what)) } satisfies Answered
})

/** The stage of this name, whose commands are behind walls or not. */
export const commandStage = (
  name: StageName,
  settings: CommandStageSettings,
  isWalled: boolean,
  parts: CommandParts
): Stage => {
  const { accepts, kind, needs, provides, version } = settings
  const downstream = downstreamOf(name, settings)
  const run = makeRun(settings, isWalled, parts)
  const outputOf = Effect.fnUntraced(function* (matter: Matter) {
    const downstreams = yield* Downstreams
    const { priority, tenant } = matter.subject
    const input = yield* inputOf(matter, settings)
    return yield* downstreams.call(downstream, { tenant, priority })(
      Effect.flatMap(input, (bytes) => run(matter, bytes))
    )
  })
  const base = { name, version, needs, downstream }
  const stages: Readonly<Record<Stage["kind"], Stage>> = {
    source: {
      ...base,
      kind: "source",
      accepts: acceptsHead(accepts),
      run: Effect.fnUntraced(function* (input) {
        const bytes = yield* readFile(input.location, mostInput)
        if (!acceptsWhole(accepts, bytes, input.name)) {
          return yield* final("the file is none of those that the stage takes")
        }
        return yield* sourceOutput(yield* outputOf(matterOfSource(input)), what)
      })
    },
    page: {
      ...base,
      kind: "page",
      provides,
      run: Effect.fnUntraced(function* (input) {
        const bytes = yield* outputOf(matterOfPage(input, parts.draw))
        return pageOutput(provides, yield* answeredOf(bytes, settings))
      })
    },
    document: {
      ...base,
      kind: "document",
      run: Effect.fnUntraced(function* (input) {
        return documentOutput(yield* answeredOf(yield* outputOf(matterOfDocument(input)), settings))
      })
    }
  }
  return stages[kind]
}
