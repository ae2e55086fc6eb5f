// A real browser, looking at the service as it runs for real.
import { Context, Effect, Layer, type Scope } from "effect"
import { existsSync } from "node:fs"
import { env } from "node:process"
import { type BrowserContext, chromium, type Page } from "playwright-core"
import { temporaryFolder } from "../support/service.ts"
import { startServer } from "../support/serverProcess.ts"

const executablePath = env["CHROMIUM"] ?? "/usr/bin/chromium"

/** Why there is no browser, if there is none. */
export const whyNoBrowser = existsSync(executablePath)
  ? undefined
  : `there is no Chromium at ${executablePath}; the environment variable CHROMIUM may name another`

const switches = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** Ends what never comes, and tells what that was, before the test's own limit does. */
const patienceMillis = 240_000

const browser = Effect.acquireRelease(
  Effect.promise(() => chromium.launch({ executablePath, args: switches, timeout: patienceMillis })),
  (browser) => Effect.promise(() => browser.close())
)

export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page or the browser complained about, but for answers that are refusals. */
  readonly complaints: ReadonlyArray<string>
}

export class Visitor extends Context.Service<
  Visitor,
  {
    readonly url: string
    /** Opens the dashboard in a new session, closed with the scope. */
    readonly visit: Effect.Effect<Visit, never, Scope.Scope>
  }
>()("test/browser/Visitor") {}

/** A server on a folder of its own, configured by these variables, and a browser. */
export const visitorOf = (settings: Readonly<Record<string, string>> = {}) =>
  Layer.effect(
    Visitor,
    Effect.gen(function* () {
      const { url } = yield* startServer(yield* temporaryFolder, settings)
      const chrome = yield* browser
      const visit = Effect.gen(function* () {
        const context = yield* Effect.acquireRelease(
          Effect.promise(() => chrome.newContext()),
          (context) => Effect.promise(() => context.close())
        )
        context.setDefaultTimeout(patienceMillis)
        const page = yield* Effect.promise(() => context.newPage())
        const complaints: Array<string> = []
        page.on("console", (message) => {
          const refusal = message.text().startsWith("Failed to load resource")
          if (!refusal && (message.type() === "error" || message.type() === "warning")) complaints.push(message.text())
        })
        page.on("pageerror", (error) => complaints.push(String(error)))
        yield* Effect.promise(() => page.goto(url))
        const found: Visit = { page, context, complaints }
        return found
      })
      return { url, visit }
    })
  )
