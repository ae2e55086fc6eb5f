// The entry of a process that draws pages.
import { Effect, Exit, Scope } from "effect"
import { createRequire } from "node:module"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import { failure, type Failure } from "../../../domain/Failure.ts"
import { type Bytes, given, serve, type Work } from "../../children/Serve.ts"
import { drawPage, listenToLosses, openToDraw } from "./RenderPdf.ts"
import { isRenderTask } from "./RenderTask.ts"

interface Held {
  readonly key: string
  readonly password: string | undefined
  readonly document: PDFDocumentProxy
  readonly scope: Scope.Closeable
}

/** The names that pdf.js asks for where a file has no font of its own. */
const fallbackFamilies = ["sans-serif", "serif", "monospace"]

interface Fonts {
  readonly registerFromPath: (path: string, family: string) => unknown
}

const hasFonts = (value: unknown): value is { readonly GlobalFonts: Fonts } =>
  typeof value === "object" && value !== null && "GlobalFonts" in value

const registerFonts = Effect.sync(() => {
  const canvas: unknown = createRequire(import.meta.resolve("pdfjs-dist/legacy/build/pdf.mjs"))("@napi-rs/canvas")
  if (!hasFonts(canvas)) throw new Error("This version of the canvas has no fonts.")
  for (const path of given) {
    for (const family of fallbackFamilies) canvas.GlobalFonts.registerFromPath(path, family)
  }
})

/** One document: its pages are drawn one after the other. */
const makeWork = Effect.map(registerFonts, (): Work => {
  let held: Held | undefined

  const forget = Effect.suspend(() => {
    const { scope } = held ?? {}
    held = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  const open = Effect.fnUntraced(function* (bytes: Bytes, key: string | undefined, password: string | undefined) {
    yield* forget
    const given = yield* Effect.mapError(bytes, ({ failure }) => failure)
    const scope = yield* Scope.make()
    const document = yield* openToDraw(given, password).pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    held = { key: key ?? "", password, document, scope }
    return document
  })

  return {
    held: () => (held === undefined || held.key === "" ? [] : [held.key]),
    run: Effect.fnUntraced(function* (task: unknown, bytes: Bytes, key: string | undefined) {
      if (!isRenderTask(task)) return yield* Effect.die(new Error("this is no task"))
      const isHeld = held !== undefined && held.key === key
      // A caller with another password must not profit from the one that opened the document.
      if (isHeld && held?.password !== task.password) {
        return yield* Effect.fail(
          task.password === undefined
            ? failure("PASSWORD_REQUIRED", "The file is encrypted and needs a password.")
            : failure("PASSWORD_INVALID", "The password does not open this file.")
        )
      }
      const document = isHeld && held !== undefined ? held.document : yield* open(bytes, key, task.password)
      return yield* drawPage(document, task)
    }) satisfies (task: unknown, bytes: Bytes, key: string | undefined) => Effect.Effect<unknown, Failure>
  }
})

listenToLosses()
serve(makeWork)
