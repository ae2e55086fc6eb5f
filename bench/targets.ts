// What the speed benches are to reach, and which of their ratios the plot shows.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Schema } from "effect"
import type { Bar } from "./bars.ts"
import { percentile } from "./statistics.ts"

interface Target {
  readonly bench: string
  /** The beginning of a row's name. */
  readonly row: string
  readonly label: string
  readonly least: number
}

const ratios: ReadonlyArray<Target> = [
  { bench: "reading", row: "ratio", label: "one large file / bare loop", least: 0.92 },
  { bench: "small", row: "ratio", label: "many small files / bare loop", least: 0.85 },
  { bench: "peers-large", row: "ratio, Sluice / ", label: "one large file / ", least: 1.8 },
  { bench: "peers-small", row: "ratio, Sluice / ", label: "many small files / ", least: 1.2 },
  { bench: "peers-accepts", row: "ratio, Sluice / ", label: "durable accepts / ", least: 2 }
]

const Saved = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({ name: Schema.String, unit: Schema.String, figures: Schema.Array(Schema.NullOr(Schema.Number)) })
  )
})
const decodeSaved = Schema.decodeUnknownSync(Schema.fromJsonString(Saved))

/** The ratios of whatever results are in the folder, with their targets. */
export const barsOf = (folder: string): ReadonlyArray<Bar> =>
  ratios.flatMap(({ bench, label, least, row }) => {
    const path = join(folder, `${bench}.json`)
    if (!existsSync(path)) return []
    return decodeSaved(readFileSync(path, "utf8"))
      .rows.filter(({ name }) => name.startsWith(row))
      .map(({ figures, name }) => {
        const known = figures.filter((figure) => figure !== null)
        return {
          label: label.endsWith("/ ") ? `${label}${name.slice(row.length)}` : label,
          least: percentile(known, 0),
          median: percentile(known, 0.5),
          most: percentile(known, 1),
          target: least
        }
      })
  })
