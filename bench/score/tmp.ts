import { Effect } from "effect"
import fs from "node:fs"
import { markdownOf } from "./ReadMarkdown.ts"
import { renderDefaults } from "../../src/domain/rendering/RenderOptions.ts"
const [from = "", to = "", emph = ""] = process.argv.slice(2)
fs.mkdirSync(to, { recursive: true })
const t = process.cpuUsage()
for (const name of fs.readdirSync(from).filter((n) => n.endsWith(".pdf"))) {
  const out = await Effect.runPromise(
    markdownOf(new Uint8Array(fs.readFileSync(`${from}/${name}`)), { ...renderDefaults, emphasis: emph === "e" }).pipe(
      Effect.catchCause((c) => {
        console.error(name, String(c).slice(0, 300))
        return Effect.succeed("")
      })
    )
  )
  fs.writeFileSync(`${to}/${name.replace(/\.pdf$/, ".md")}`, out)
}
console.log(process.cpuUsage(t))
