// Commands that hang, multiply, fill the disk or hide: each is contained, has a typed outcome, and leaves nothing behind.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { hasProgram, processesWith, shell, using, type Written } from "../../../support/commands.ts"
import { pageOf, runStage } from "../../../support/stageInputs.ts"

const isLinux = process.platform === "linux" && hasProgram("prlimit")
const hasWalls = isLinux && hasProgram("bwrap")
const isRoot = process.getuid?.() === 0

let used = 0
/** A word that stands in the command lines of one test's processes and nowhere else. */
const word = () => `marked-${process.pid}-${++used}`

/** Something is killed, and its end is seen a moment later. */
const eventually = (holds: () => boolean) =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.fail("not yet"))).pipe(
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.timeout("60 seconds")
  )

const noneLeft = (mark: string) => eventually(() => processesWith(mark) === 0)

/** Runs the command, and sees to it that nothing is left of it. */
const outcome = (written: Written, mark: string, whole = "60s") =>
  using(
    written,
    ({ directories, made }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(runStage(made, pageOf(1, "a page")))
        yield* noneLeft(mark)
        assert.deepStrictEqual(directories(), [])
        return error
      }),
    { tool: { breaker: false, timeout: { whole } } }
  )

/** With walls where they can be had, and without. */
const modes = [...(hasWalls ? (["require"] as const) : []), "off"] as const

describe.skipIf(!isLinux)("A hostile command", () => {
  it.live.each(modes)("that hangs is ended at its time-out, and the page may be tried again (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const error = yield* outcome(
        shell("", { run: ["/bin/bash", "-c", `exec -a ${mark} sleep 1000`], sandbox }),
        mark,
        "300ms"
      )
      assert.deepInclude(error, { _tag: "DownstreamFailure", code: "STAGE_TIMEOUT" })
    })
  )

  it.live.each(modes)("that ignores SIGTERM is gone when its run is interrupted (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const script = `trap '' TERM INT HUP; while :; do sleep 0.1; done; # ${mark}`
      yield* using(shell(script, { sandbox }), ({ directories, made }) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(runStage(made, pageOf(1, "")))
          yield* eventually(() => processesWith(mark) > 0)
          yield* Fiber.interrupt(fiber)
          yield* noneLeft(mark)
          assert.deepStrictEqual(directories(), [])
        })
      )
    })
  )

  it.live.skipIf(!hasWalls)("that starts processes in sessions of their own takes them with it", () =>
    Effect.gen(function* () {
      const mark = word()
      const script = `for i in 1 2 3; do setsid sh -c 'while :; do sleep 0.1; done # ${mark}' & done; sleep 0.2; exec sleep 1000`
      const error = yield* outcome(shell(script, { sandbox: "require" }), mark, "1s")
      assert.deepInclude(error, { _tag: "DownstreamFailure", code: "STAGE_TIMEOUT" })
    })
  )

  it.live.skipIf(!hasWalls)("that has ended takes with it what it left running", () =>
    Effect.gen(function* () {
      const mark = word()
      const script = `setsid sh -c 'while :; do sleep 0.1; done # ${mark}' >/dev/null 2>&1 & echo done`
      yield* using(shell(script, { sandbox: "require" }), ({ directories, made }) =>
        Effect.gen(function* () {
          yield* runStage(made, pageOf(1, ""))
          yield* noneLeft(mark)
          assert.deepStrictEqual(directories(), [])
        })
      )
    })
  )

  it.live.each(modes.filter((mode) => mode === "require" || isRoot))(
    "that forks without end gets no more processes than it may have (sandbox %s)",
    (sandbox) =>
      Effect.gen(function* () {
        const mark = word()
        // Each process starts two like itself, until it may not.
        const script = `f() { f "$1" & f "$1" & wait; }; f ${mark}; sleep 1000`
        const written = shell("", { run: ["/bin/bash", "-c", script, mark], sandbox, limits: { processes: 20 } })
        const most = yield* using(
          written,
          ({ directories, made }) =>
            Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(Effect.flip(runStage(made, pageOf(1, ""))))
              let seen = 0
              yield* eventually(() => (seen = Math.max(seen, processesWith(mark))) >= 15)
              const error = yield* Fiber.join(fiber)
              assert.include(["DownstreamFailure", "StageError"], error._tag)
              yield* noneLeft(mark)
              assert.deepStrictEqual(directories(), [])
              return seen
            }),
          { tool: { breaker: false, timeout: { whole: "3s" } } }
        )
        assert.isAtMost(most, 25)
      })
  )

  it.live.each(modes)("that writes 10 GB into a file is ended at the size that it may have (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const script = `exec dd if=/dev/zero of=${mark} bs=1M count=10000`
      const error = yield* outcome(shell(script, { sandbox, limits: { fileSize: "8MiB" } }), mark)
      assert.deepInclude(error, { _tag: "StageError", again: false })
      assert.include(error.message, "the command wrote a file of more than 8388608 bytes (limits.fileSize)")
    })
  )

  it.live.each(modes)("that writes many files is ended when they take too much (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const script = `i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > ${mark}.$i || exit 1; sleep 0.02; done`
      const error = yield* outcome(shell(script, { sandbox, limits: { disk: "20MB" } }), mark)
      assert.include(error.message, "the files of the command take more than 20000000 bytes (limits.disk)")
    })
  )

  it.live.each(modes)("that writes without end to its output is ended (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const error = yield* outcome(shell(`yes ${mark}`, { sandbox, limits: { output: "1MiB" } }), mark)
      assert.include(error.message, "more than 1048576 bytes to its standard output (limits.output)")
    })
  )

  it.live.each(modes)("that computes without end is ended after its processor time (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const error = yield* outcome(shell(`: ${mark}; while :; do :; done`, { sandbox, limits: { cpu: "1s" } }), mark)
      assert.deepInclude(error, { _tag: "StageError", again: false })
      assert.include(error.message, "the command used more than 1s of processor time (limits.cpu)")
    })
  )

  it.live.each(modes)("that allocates too much gets no memory (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const script = `/usr/bin/perl -e 'my $x = "a" x 600000000; print length $x # ${mark}'`
      const error = yield* outcome(shell(script, { sandbox, limits: { memory: "100MB" } }), mark)
      assert.match(error.message, /the command ended with code \d+: .*[Mm]emory/)
    })
  )

  it.live.each(modes)("that makes folders too deep for a path, or closes them, leaves none (sandbox %s)", (sandbox) =>
    Effect.gen(function* () {
      const mark = word()
      const script = `n=$(printf 'd%.0s' $(seq 200)); for i in $(seq 60); do mkdir $n && cd -P $n || break; done; cd $TMPDIR; mkdir -p a/b; chmod 000 a; exit 1`
      const error = yield* outcome(shell(script, { sandbox }), mark)
      assert.include(error.message, "ended with code 1")
    })
  )

  it.live.skipIf(!hasWalls)(
    "sees no network, no other process, no file of the engine, and writes to no memory of the system",
    () =>
      Effect.gen(function* () {
        const mark = word()
        const script = [
          "ls /sys/class/net 2>/dev/null",
          "cat /proc/net/dev | tail -n +3 | cut -d: -f1",
          "ls /proc | grep -c '^[0-9]'",
          "cat /etc/passwd /etc/shadow",
          `ls ${process.cwd()}`,
          "echo x > /x; echo x > /dev/shm/x; echo x > /usr/x",
          "true"
        ].join("; ")
        const { content } = yield* using(shell(`exec 2>&1; ${script}`, { sandbox: "require" }), ({ made }) =>
          runStage(made, pageOf(1, ""))
        )
        const text = new TextDecoder().decode(content.bytes)
        assert.match(text, /^\s*lo\n[1-9]\n/)
        assert.lengthOf([...text.matchAll(/No such file/g)], 3)
        assert.lengthOf([...text.matchAll(/Read-only file system|Permission denied/g)], 3)
        assert.strictEqual(processesWith(mark), 0)
      })
  )
})
