// Recognition of text by the `tesseract` command: pixels go in, rows of words come out, and no file is written.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { type Context, Effect, Layer, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { failure } from "../../domain/Failure.ts"
import { Ocr, OcrError } from "../../services/Ocr.ts"
import { findSandbox, type Sandbox } from "../pdf/pool/Sandbox.ts"
import { inAnyOrientation } from "./AnyOrientation.ts"
import { languagePattern, missingLanguages } from "./Languages.ts"
import type { OcrProcesses } from "./OcrProcesses.ts"
import { mostAnswerBytes } from "./OcrTask.ts"
import { linesOfTsv } from "./Tsv.ts"
import { toPgm } from "./Turning.ts"

type Spawner = Context.Service.Shape<typeof ChildProcessSpawner.ChildProcessSpawner>

const safePath = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"

// `OMP_THREAD_LIMIT`: its threads wait for each other by spinning, which takes ten times as long on a busy machine.
const environment = { PATH: safePath, OMP_THREAD_LIMIT: "1", LC_ALL: "C.UTF-8" }

const failed = (code: "STAGE_FAILED" | "STAGE_TIMEOUT" | "RESOURCE_LIMIT", message: string, again = false) =>
  new OcrError({ failure: failure(code, message), again })

/** What the command says without an image to read: its version, its languages. */
const ask = (spawner: Spawner, argument: string) =>
  spawner
    .string(
      ChildProcess.make("tesseract", [argument], {
        env: environment,
        extendEnv: false,
        stdin: "ignore",
        stderr: "ignore"
      })
    )
    .pipe(Effect.timeout("20 seconds"), Effect.option)

/** Under limits of memory and processor time, at a low priority, and behind the walls of processes that are there. */
const limited = (
  args: ReadonlyArray<string>,
  { memoryBytes, niceness, timeoutMillis }: OcrProcesses,
  sandbox: Sandbox
) => {
  const kibibytes = Math.floor(memoryBytes / 1024)
  const seconds = Math.ceil(timeoutMillis / 1_000)
  const script =
    `{ echo ${niceness} >/proc/self/autogroup; } 2>/dev/null\n` +
    `ulimit -c 0; ulimit -d ${kibibytes}; ulimit -t ${seconds}; exec nice -n ${niceness} "$@"`
  const walls = sandbox.namespaces.length === 0 ? [] : ["unshare", ...sandbox.namespaces]
  return ["-c", script, "sh", ...walls, "tesseract", ...args]
}

const outputOf = Effect.fnUntraced(function* (spawner: Spawner, args: ReadonlyArray<string>, pgm: Uint8Array) {
  const handle = yield* spawner.spawn(
    ChildProcess.make("/bin/sh", args, {
      env: environment,
      extendEnv: false,
      stdin: Stream.make(pgm),
      stderr: "ignore",
      killSignal: "SIGKILL"
    })
  )
  let bytes = 0
  const chunks = yield* handle.stdout.pipe(
    Stream.takeWhile((chunk) => (bytes += chunk.byteLength) <= mostAnswerBytes),
    Stream.runCollect
  )
  return { text: Buffer.concat(chunks).toString("utf8"), code: yield* handle.exitCode }
}, Effect.scoped)

/** Undefined where the command is not installed. */
export const makeTesseractCommand = Effect.fnUntraced(function* (processes: OcrProcesses) {
  const services = yield* Layer.build(NodeServices.layer)
  const spawner = yield* Effect.provide(ChildProcessSpawner.ChildProcessSpawner, services)
  const said = yield* ask(spawner, "--version")
  const version = said._tag === "Some" ? /^tesseract v?([0-9][\w.-]*)/.exec(said.value)?.[1] : undefined
  if (version === undefined) return undefined
  const sandbox = yield* findSandbox(processes.sandbox)
  const installed = yield* Effect.cached(
    Effect.map(ask(spawner, "--list-langs"), (list) =>
      list._tag === "Some" ? list.value.split("\n").filter((line) => languagePattern.test(line)) : []
    )
  )
  const lacking = (wanted: ReadonlyArray<string>) =>
    Effect.map(installed, (there) => wanted.filter((language) => !there.includes(language)))

  const once = (languages: ReadonlyArray<string>, dpi: number) =>
    Effect.fnUntraced(
      function* (image: Parameters<typeof toPgm>[0]) {
        const args = [
          "-",
          "-",
          "-l",
          languages.join("+"),
          "--psm",
          "3",
          "--dpi",
          String(dpi),
          "-c",
          "tessedit_create_tsv=1"
        ]
        const { code, text } = yield* outputOf(spawner, limited(args, processes, sandbox), toPgm(image)).pipe(
          Effect.timeoutOrElse({
            // Of its processor time the system takes care; this is for a command that does not run at all.
            duration: 20 * processes.timeoutMillis,
            orElse: () => failed("STAGE_TIMEOUT", "the text was not recognised in time")
          }),
          Effect.catchTag("PlatformError", ({ message }) => failed("STAGE_FAILED", `tesseract: ${message}`, true))
        )
        if (code === 0) return linesOfTsv(text)
        return yield* failed("STAGE_FAILED", `tesseract ended with exit code ${code}`, true)
        // That it was killed is not the image's fault.
      },
      Effect.retry({ times: 1, while: ({ again }) => again })
    )

  return Ocr.of({
    engine: "tesseract",
    version,
    missing: lacking,
    recognise: Effect.fn("Ocr.recognise")(function* (image, { dpi, languages }) {
      const missing = yield* lacking(languages)
      if (missing.length > 0) return yield* missingLanguages(missing, "install them for tesseract")
      return yield* inAnyOrientation(once(languages, dpi), dpi)(image)
    })
  })
})
