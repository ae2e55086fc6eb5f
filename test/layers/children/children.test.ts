import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { BlobHash } from "../../../src/domain/Ids.ts"
import { makeChildren, type ChildrenOptions } from "../../../src/layers/children/Children.ts"
import { packageOf } from "../../../src/layers/pdf/pool/Launch.ts"
import { findSandbox } from "../../../src/layers/pdf/pool/Sandbox.ts"
import { childrenTitled } from "../../support/children.ts"
import { eventually, inMemory, isRunning } from "../pdf/engine.ts"

let programs = 0

const children = (options: Partial<ChildrenOptions> & { readonly niceness?: number } = {}) => {
  const title = `sluice-test-${process.pid}-${++programs}`
  const made = makeChildren({
    program: {
      title,
      entry: new URL("./countingEntry.ts", import.meta.url),
      args: [],
      packages: [packageOf("effect")],
      files: [],
      hasAddons: false,
      niceness: options.niceness ?? 0
    },
    memoryBytes: 300 * 1024 * 1024,
    sandbox: findSandbox("auto"),
    most: 1,
    idle: "1 minute",
    timeoutMillis: 60_000,
    mostAnswerBytes: 1024 * 1024,
    ...options
  })
  return Effect.map(made, ({ run }) => ({ run, title }))
}

const first = (title: string): number => childrenTitled(title)[0] ?? 0

it.live("A child is started for the first task, serves the next, and keeps bytes under their key", () =>
  Effect.gen(function* () {
    const { run, title } = yield* children()
    assert.deepStrictEqual(childrenTitled(title), [])
    assert.strictEqual(yield* run("length", { key: "a", location: inMemory(new Uint8Array(600_000)) }), 600_000)
    assert.strictEqual(yield* run("kept"), "a")
    const count = yield* run("count")
    assert.containSubset(count, { tasks: 3 })
    // Damaged bytes are told apart from what the task makes of them.
    const hash = BlobHash.make("0".repeat(64))
    const damaged = yield* Effect.flip(run("length", { key: "b", location: { ...inMemory(new Uint8Array(10)), hash } }))
    assert.strictEqual(damaged._tag === "TaskFailed" && damaged.failure.code, "BLOB_LOST")
    const lost = yield* Effect.flip(run("length", { location: { _tag: "File", path: "/nothing/here" } }))
    assert.strictEqual(lost._tag === "TaskFailed" && lost.failure.code, "BLOB_LOST")
  }).pipe(Effect.scoped)
)

it.live("A task whose child dies is run once more; one that kills two fails, and the next has a new child", () =>
  Effect.gen(function* () {
    const { run, title } = yield* children()
    yield* run("count")
    const before = first(title)
    const died = yield* Effect.flip(run("die"))
    assert.strictEqual(died._tag, "WorkerDied")
    assert.containSubset(yield* run("count"), { tasks: 1 })
    assert.notStrictEqual(first(title), before)
    process.kill(first(title), "SIGKILL")
    assert.containSubset(yield* run("count"), { tasks: 1 })
  }).pipe(Effect.scoped)
)

it.live("A task that takes too long, or is interrupted, is stopped with its child", () =>
  Effect.gen(function* () {
    const { run, title } = yield* children({ timeoutMillis: 200 })
    const waiting = yield* Effect.flip(run("wait"))
    assert.strictEqual(waiting._tag, "TaskTimeout")
    assert.deepStrictEqual(childrenTitled(title), [])
    const patient = yield* children()
    yield* patient.run("count")
    const pid = first(patient.title)
    const fiber = yield* Effect.forkChild(patient.run("wait"), { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    assert.isFalse(isRunning(pid))
  }).pipe(Effect.scoped)
)

it.live("A child has the niceness of its program", () =>
  Effect.gen(function* () {
    const { run, title } = yield* children({ niceness: 7 })
    yield* run("count")
    const stat = readFileSync(`/proc/${first(title)}/stat`, "latin1")
    assert.strictEqual(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16], "7")
  }).pipe(Effect.scoped)
)

it.effect("A child that had no task for a while is ended", () =>
  Effect.gen(function* () {
    const { run, title } = yield* children()
    yield* run("count")
    const pid = first(title)
    yield* TestClock.adjust("3 minutes")
    yield* TestClock.withLive(eventually(() => !isRunning(pid)))
    assert.containSubset(yield* run("count"), { tasks: 1 })
  }).pipe(Effect.scoped)
)
