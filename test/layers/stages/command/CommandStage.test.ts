import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hasProgram, shell, using, type Written } from "../../../support/commands.ts"
import { documentInput, pageOf, runStage, sourceInput, textOf } from "../../../support/stageInputs.ts"

const isLinux = process.platform === "linux" && hasProgram("prlimit")

const run = (written: Written, text = "a page") => using(written, ({ made }) => runStage(made, pageOf(3, text)))

describe.skipIf(!isLinux)("A stage that is a command", () => {
  it.live("gets the text of a page on its standard input and answers on its standard output", () =>
    Effect.gen(function* () {
      const { content, reading } = yield* run(shell("tr a-z A-Z"))
      assert.deepStrictEqual(
        [content.mediaType, textOf(content), reading],
        ["text/plain; charset=utf-8", "A PAGE", undefined]
      )
    })
  )

  it.live("works in a directory of its own, with files for input and output, which is gone afterwards", () =>
    using(
      shell('pwd > out.txt; ls >> out.txt; cat in.txt >> out.txt; echo "$HOME $TMPDIR" >> out.txt', {
        input: { file: "in.txt" },
        output: { file: "out.txt" },
        provides: "text"
      }),
      ({ directories, made }) =>
        Effect.gen(function* () {
          const { reading } = yield* runStage(made, pageOf(3, "a page"))
          const [where = "", ...rest] = (reading?.text ?? "").split("\n")
          assert.match(where, /^\/work$|\/work$/)
          assert.deepStrictEqual(rest.slice(0, 2), ["in.txt", "out.txt"])
          assert.match(rest[2] ?? "", /^a page\S* \S*tmp$/)
          assert.deepStrictEqual(directories(), [])
        })
    )
  )

  it.live("has nothing of the engine's environment", () =>
    Effect.gen(function* () {
      const { content } = yield* run(
        shell("env | cut -d= -f1 | sort | tr '\\n' ' '", { environment: { TOOL_MODE: "x" } })
      )
      assert.match(textOf(content), /^HOME LANG PATH PWD TMPDIR TOOL_MODE $/)
    })
  )

  it.live("gets values as arguments, and a name never as an option", () =>
    Effect.gen(function* () {
      const written = shell("", { run: ["/bin/echo", "{{page}}", "{{name}}", "{{tenant}}-{{id}}"] })
      const { content } = yield* using(written, ({ made }) =>
        runStage(made, pageOf(3, ""), { name: "--out=/etc/x;$(id)" })
      )
      assert.strictEqual(textOf(content), "3 _out__etc_x___id_ acme-01900000-0000-7000-8000-000000000001\n")
    })
  )

  it.live("never runs as root", () =>
    Effect.gen(function* () {
      for (const sandbox of ["auto", "off"] as const) {
        const { content } = yield* run(shell("id -u", { sandbox }))
        assert.notStrictEqual(textOf(content).trim(), "0")
      }
    })
  )

  it.live("fails with the end of what it said, and not for codes of success", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run(shell("seq 2000 >&2; echo no such thing >&2; exit 3")))
      assert.deepInclude(error, { _tag: "StageError", again: false })
      assert.match(error.message, /^the command ended with code 3: .*2000 no such thing$/)
      const { content } = yield* run(shell("echo fine; exit 3", { exitCodes: [0, 3] }))
      assert.strictEqual(textOf(content), "fine\n")
    })
  )

  it.live("makes the PDF of a file, and nothing else passes for one", () =>
    Effect.gen(function* () {
      const written = (script: string) =>
        shell(script, {
          kind: "source",
          send: "file",
          answer: "pdf",
          accepts: [{ extension: ".txt", isText: true }]
        })
      const pdf = (script: string, file: string | Uint8Array = "words") =>
        using(written(script), ({ made }) =>
          made.kind === "source" ? made.run(sourceInput("a.txt", file)) : Effect.die("no source stage")
        )
      const output = yield* pdf("echo '%PDF-1.4'; cat")
      assert.strictEqual(new TextDecoder().decode(output.pdf), "%PDF-1.4\nwords")
      assert.include(
        (yield* Effect.flip(pdf("cat"))).message,
        "the command's output is no PDF; it has 5 bytes and begins: words"
      )
      assert.include(
        (yield* Effect.flip(pdf("cat", new Uint8Array([0, 1])))).message,
        "none of those that the stage takes"
      )
    })
  )

  it.live("gets the Markdown of a whole document", () =>
    Effect.gen(function* () {
      const written = shell("wc -w", { kind: "document", send: "markdown" })
      const { content } = yield* using(written, ({ made }) =>
        made.kind === "document"
          ? made.run(documentInput([pageOf(1, "one two"), pageOf(2, "three")]))
          : Effect.die("no")
      )
      assert.strictEqual(textOf(content).trim(), "3")
    })
  )

  it.live.each([
    ["a link", "ln -s /etc/passwd out.txt", "is a link"],
    ["a pipe", "mkfifo out.txt", "is no plain file"],
    ["a folder", "mkdir out.txt", "is no plain file"],
    ["nothing", "true", "is not there"],
    ["too much", "head -c 2000 /dev/zero > out.txt", "has 2000 bytes, and 1000 may be taken"]
  ] as const)("takes no output that is %s", ([, script, expected]) =>
    Effect.gen(function* () {
      const limits = { output: "1000B" }
      const error = yield* Effect.flip(run(shell(script, { output: { file: "out.txt" }, limits })))
      assert.include(error.message, expected)
    })
  )
})
