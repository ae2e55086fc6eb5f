// What goes wrong. Each trouble begins, lasts, and is ended again.
import { Effect } from "effect"
import { between, type Random } from "../workload.ts"
import type { Originals } from "./originals.ts"
import type { Database } from "./postgres.ts"
import type { ControlledRunner, Runners } from "./runners.ts"

export const troubleNames = ["kill", "stop", "term", "postgres", "grow", "s3"] as const
export type TroubleName = (typeof troubleNames)[number]

export interface Begun {
  /** The runner it happens to, if it happens to one. */
  readonly runner?: string
  readonly detail?: string
  readonly end: Effect.Effect<void>
}

export interface Trouble {
  readonly name: TroubleName
  /** How long it lasts, in milliseconds. */
  readonly lasts: readonly [least: number, most: number]
  /** Undefined if there is nothing that it could happen to now. */
  readonly begin: (random: Random) => Effect.Effect<Begun | undefined>
}

const nothing = Effect.succeed(undefined)

/** One of the runners that are up; one of them always stays. */
const choose = (runners: Runners, random: Random): ControlledRunner | undefined => {
  const up = runners.up()
  return up.length < 2 ? undefined : up[Math.floor(random() * up.length)]
}

const happensToOne =
  (
    runners: Runners,
    begin: (runner: ControlledRunner) => Effect.Effect<void>,
    end: (runner: ControlledRunner) => Effect.Effect<void>
  ): Trouble["begin"] =>
  (random) => {
    const runner = choose(runners, random)
    return runner === undefined
      ? nothing
      : Effect.as(begin(runner), { runner: runner.name, end: Effect.suspend(() => end(runner)) })
  }

/** `kill -9`; another one is started in its place after a while, as a supervisor does. */
const kill = (runners: Runners): Trouble => ({
  name: "kill",
  lasts: [500, 10_000],
  begin: happensToOne(
    runners,
    (runner) => runner.kill,
    (runner) => runner.start
  )
})

/** Frozen for longer than its leases last, and then awake again, not knowing it. */
const stop = (runners: Runners): Trouble => ({
  name: "stop",
  lasts: [30_000, 30_000],
  begin: happensToOne(
    runners,
    (runner) => runner.freeze,
    (runner) => runner.thaw
  )
})

const term = (runners: Runners): Trouble => ({
  name: "term",
  lasts: [500, 5_000],
  begin: happensToOne(
    runners,
    (runner) => runner.stop,
    (runner) => runner.start
  )
})

/** All runners but one are told to stop, and later start again. */
const grow = (runners: Runners): Trouble => ({
  name: "grow",
  lasts: [3_000, 8_000],
  begin: () => {
    const [, ...others] = runners.up()
    return others.length === 0
      ? nothing
      : Effect.as(
          Effect.forEach(others, (runner) => runner.stop, { concurrency: "unbounded", discard: true }),
          { end: Effect.forEach(others, (runner) => runner.start, { concurrency: "unbounded", discard: true }) }
        )
  }
})

/** The restart ends the trouble: nothing lasts after it. */
const postgres = ({ restart }: Database): Trouble => ({
  name: "postgres",
  lasts: [0, 0],
  begin: (random) => {
    if (restart === undefined) return nothing
    const how = random() < 0.5 ? "fast" : "immediate"
    return Effect.as(restart(how, between(random, 0, 4_000)), { detail: how, end: Effect.void })
  }
})

const s3 = (originals: Originals | undefined): Trouble => ({
  name: "s3",
  lasts: [20_000, 20_000],
  begin: (random) => {
    const how = random() < 0.5 ? "refusing" : "silent"
    return originals === undefined ? nothing : Effect.map(originals.goAway(how), (end) => ({ detail: how, end }))
  }
})

export interface Scene {
  readonly database: Database
  readonly originals: Originals | undefined
  readonly runners: Runners
}

export const allTroubles = ({ database, originals, runners }: Scene): ReadonlyArray<Trouble> => [
  kill(runners),
  stop(runners),
  term(runners),
  postgres(database),
  grow(runners),
  s3(originals)
]
