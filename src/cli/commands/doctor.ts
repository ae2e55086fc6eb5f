import { Console, Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { CommandFailed, reported } from "../CommandFailure.ts"
import { Json, printJson } from "../Json.ts"
import { printable } from "../Text.ts"
import { Finding } from "../doctor/Finding.ts"

const Findings = Schema.Struct({ findings: Schema.Array(Finding) })

const marks = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const

const lineOf = ({ advice, detail, name, state }: Finding) =>
  printable(`${marks[state]}  ${name.padEnd(12)} ${detail}`) +
  (advice === undefined ? "" : `\n${" ".repeat(19)}${printable(advice)}`)

export const doctor = Command.make(
  "doctor",
  {},
  Effect.fnUntraced(function* () {
    const json = yield* Json
    const { checks } = yield* Effect.promise(() => import("../doctor/Checks.ts"))
    const findings = yield* Effect.forEach(checks, (check) =>
      Effect.tap(check, (finding) => (json ? Effect.void : Console.log(lineOf(finding))))
    )
    if (json) yield* printJson(Findings, { findings })
    if (findings.some(({ state }) => state === "fail")) return yield* new CommandFailed()
  }, reported)
).pipe(
  Command.withDescription(
    "Checks what a server needs of this machine, with the settings it would have: Node, settings, memory, data folder, disk, bucket, page workers, port. Exit code 1 if something must be changed."
  )
)
