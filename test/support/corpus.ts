// Real PDFs, where there are some: every *.pdf below the folder that the environment variable SLUICE_CORPUS names.
import { it } from "@effect/vitest"
import type { Effect, Scope } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

export const minutes = (n: number) => n * 60_000

const corpus = process.env["SLUICE_CORPUS"]

/** A test that needs real PDFs; it is skipped, and says so, where there are none. */
export const corpusTest = <E>(
  title: string,
  needed: string,
  body: (folder: string) => Effect.Effect<unknown, E, Scope.Scope>,
  timeout: number
) => {
  const reason =
    corpus === undefined
      ? "SLUICE_CORPUS is not set: the corpus is not read"
      : existsSync(join(corpus, needed))
        ? undefined
        : `there is no ${join(corpus, needed)}`
  if (corpus === undefined || reason !== undefined) {
    it(title, (context) => {
      process.stdout.write(`${reason}\n`)
      context.skip(reason)
    })
  } else {
    it.live(title, () => body(corpus), timeout)
  }
}

export const pdfsBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.toLowerCase().endsWith(".pdf"))
    .toSorted()
    .map((name) => join(folder, name))
