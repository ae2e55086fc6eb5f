// Commands of stages, as an engine runs them.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { commandStage } from "../../src/layers/stages/command/CommandStage.ts"
import { makeDirectories } from "../../src/layers/stages/command/Directories.ts"
import { findTools, wallsFor } from "../../src/layers/stages/command/Tools.ts"
import type { DrawPage } from "../../src/layers/stages/matter/Matter.ts"
import type { CommandStageSettings } from "../../src/services/pipelines/settings/CommandStageSettings.ts"
import type { DownstreamsWritten } from "../../src/services/downstreams/DownstreamSettings.ts"
import type { Stage } from "../../src/services/pipelines/Stage.ts"
import { drawPage, layerOf, stage, stagesOf } from "./stageInputs.ts"

export type Written = typeof CommandStageSettings.Encoded

export const hasProgram = (name: string): boolean => {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${name}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** A command of a page stage, which a shell runs. */
export const shell = (script: string, settings: Partial<Written> = {}): Written => ({
  type: "command",
  kind: "page",
  run: ["/bin/sh", "-c", script],
  send: "text",
  input: "stdin",
  output: "stdout",
  answer: "text",
  ...settings
})

/** A folder for the directories of commands, which is gone with the scope. */
const folder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "sluice-test-")))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export interface Running {
  readonly made: Stage
  /** The directories of runs that are there now. */
  readonly directories: () => ReadonlyArray<string>
}

/** Makes the stage `tool`, and uses it with the tools that this system has. */
export const using = <A, E, R>(
  written: Written,
  use: (running: Running) => Effect.Effect<A, E, R>,
  downstreams: DownstreamsWritten = {},
  draw: DrawPage = drawPage
) => {
  const stages = { tool: written }
  const settings = stagesOf(stages)[stage("tool")]
  return Effect.gen(function* () {
    if (settings?.type !== "command") return yield* Effect.die("no command")
    const parent = yield* folder
    // As nobody, a command has to reach its directory through this one.
    execFileSync("chmod", ["711", parent])
    const directory = yield* makeDirectories(parent)
    const isWalled = yield* wallsFor("tool", settings.sandbox, yield* findTools(directory))
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const made = commandStage(stage("tool"), settings, isWalled, { directory, spawner, draw })
    const directories = () => readdirSync(parent).flatMap((name) => readdirSync(join(parent, name)))
    return yield* use({ made, directories })
  }).pipe(Effect.scoped, Effect.provide([layerOf(stages, downstreams), NodeServices.layer]))
}

/** How many processes have this word in their command line. */
export const processesWith = (word: string): number =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word)
      } catch {
        return false
      }
    }).length
