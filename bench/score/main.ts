// npm run score -- [--truth DIR] [--worst N] [--out DIR]
//
// Scores reading against true Markdown. DIR holds NAME.pdf in `pdf` and NAME.md in `truth`; or such folders. Without --truth, the
// files that this program makes itself are scored. --out keeps what was read.
import { Effect } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { parseArgs } from "node:util"
import { meanOf, type Scores, scoresOf } from "./metrics/Scores.ts"
import { markdownOf } from "./ReadMarkdown.ts"
import { generatedTruth, type TrueDocument } from "./truth/Documents.ts"

const { values } = parseArgs({
  options: { truth: { type: "string" }, worst: { type: "string", default: "0" }, out: { type: "string" } }
})

const documentsIn = (folder: string): ReadonlyArray<TrueDocument> =>
  readdirSync(join(folder, "pdf"))
    .filter((name) => name.endsWith(".pdf") && existsSync(join(folder, "truth", name.replace(/\.pdf$/, ".md"))))
    .map((name) => ({
      name: basename(name, ".pdf"),
      pdf: new Uint8Array(readFileSync(join(folder, "pdf", name))),
      markdown: readFileSync(join(folder, "truth", name.replace(/\.pdf$/, ".md")), "utf8")
    }))

const setsIn = (folder: string): ReadonlyArray<readonly [name: string, () => ReadonlyArray<TrueDocument>]> =>
  existsSync(join(folder, "pdf"))
    ? [[basename(folder), () => documentsIn(folder)]]
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isDirectory() && existsSync(join(path, "pdf")))
        .map((path) => [basename(path), () => documentsIn(path)] as const)

const measures = ["overall", "nid", "teds", "mhs"] as const
const shown = (score: number | undefined): string => (score === undefined ? "-" : score.toFixed(4)).padStart(9)
const row = (name: string, count: string, scores: Scores): string =>
  `${name.padEnd(24)}${count.padStart(6)}${measures.map((measure) => shown(scores[measure])).join("")}`

const scoreSet = Effect.fnUntraced(function* (set: string, documents: ReadonlyArray<TrueDocument>) {
  const scored: Array<{ readonly name: string; readonly scores: Scores }> = []
  for (const { markdown, name, pdf } of documents) {
    const read = yield* markdownOf(pdf).pipe(Effect.catchCause((cause) => Effect.as(Effect.logError(name, cause), "")))
    if (values.out !== undefined) {
      mkdirSync(join(values.out, set), { recursive: true })
      writeFileSync(join(values.out, set, `${name}.md`), read)
    }
    scored.push({ name, scores: scoresOf(markdown, read) })
  }
  const of = (measure: keyof Scores) => meanOf(scored.map(({ scores }) => scores[measure]))
  console.log(
    row(set, String(scored.length), { overall: of("overall"), nid: of("nid"), teds: of("teds"), mhs: of("mhs") })
  )
  const worst = scored
    .toSorted((a, b) => (a.scores.overall ?? 1) - (b.scores.overall ?? 1))
    .slice(0, Number(values.worst))
  for (const { name, scores } of worst) console.log(row(`  ${name}`, "", scores))
})

const sets = values.truth === undefined ? [["generated", generatedTruth] as const] : setsIn(values.truth)
console.log(`${"set".padEnd(24)}${"files".padStart(6)}${measures.map((measure) => measure.padStart(9)).join("")}`)
for (const [name, documents] of sets) await Effect.runPromise(scoreSet(name, documents()))
