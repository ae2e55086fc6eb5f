import { Effect } from "effect"
import { plants } from "./Plants.ts"
import { simulate } from "./Simulation.ts"
for (const [name, plant] of Object.entries(plants)) {
  const out: string[] = []
  for (let seed = 1; seed <= 50 && out.length < 4; seed++) {
    const t = performance.now()
    const r = await Effect.runPromise(simulate(seed, { plant }))
    if (r.violation) out.push(`${seed} (${Math.round(performance.now() - t)} ms) ${r.violation.invariant}`)
  }
  console.log(name, out)
}
