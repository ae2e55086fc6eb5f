import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { Report } from "./material.ts"
import type { PeersResult } from "./peers/rounds.ts"

/** What one bench found. */
export interface Found {
  readonly rows: Report
  /** What was measured, under which settings. */
  readonly subjects?: PeersResult["subjects"]
}

/** The same with where and how, to be kept as JSON. */
export interface Result extends Found {
  readonly bench: string
  readonly machine: string
  readonly platform: string
  readonly rounds: number
}

const gigabytes = Math.round(totalmem() / 2 ** 30)

export const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${gigabytes} GiB, Node ${process.versions.node}`

export const resultOf = (bench: string, rounds: number, { rows, subjects = [] }: Found): Result => ({
  bench,
  machine,
  platform: `${process.platform} ${process.arch}`,
  rounds,
  subjects: subjects.map(({ name, settings, versions }) => ({ name, versions, settings })),
  rows
})

/** The shortest number that says as much as a measurement may claim. */
const short = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(5)) : value)

export const save = (folder: string, result: Result) =>
  Effect.sync(() => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${result.bench}.json`), `${JSON.stringify(result, short, 2)}\n`)
  })
