import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { makeLines, named } from "../../../src/cli/serve/ChildOutput.ts"
import { type MachineSettings, parts, planRunners, runnersFor } from "../../../src/cli/serve/RunnersPlan.ts"

const settings: MachineSettings = {
  httpPort: 3000,
  host: "127.0.0.1",
  port: 34_431,
  token: undefined,
  tokenFile: undefined,
  workers: undefined,
  connections: undefined,
  logFormat: undefined
}
const machine = { processors: 10, freshToken: "fresh", onTerminal: false }

describe("several runners on one machine", () => {
  it("are one for four processors unless a number is given", () => {
    assert.deepStrictEqual(
      [1, 2, 7, 8, 16].map((processors) => runnersFor("auto", processors)),
      [1, 1, 1, 2, 4]
    )
    assert.strictEqual(runnersFor(3, 64), 3)
  })

  it("divide the page workers and connections, and have ports of their own", () => {
    const plan = planRunners(4, settings, machine)
    assert.deepStrictEqual(
      plan.map(({ PAGE_WORKERS }) => PAGE_WORKERS),
      ["3", "3", "2", "2"]
    )
    assert.deepStrictEqual(
      plan.map(({ CLUSTER_PORT }) => CLUSTER_PORT),
      ["34431", "34432", "34433", "34434"]
    )
    assert.deepStrictEqual(new Set(plan.map(({ DATABASE_CONNECTIONS }) => DATABASE_CONNECTIONS)), new Set(["16"]))
    assert.deepStrictEqual(new Set(plan.map(({ CLUSTER_TOKEN }) => CLUSTER_TOKEN)), new Set(["fresh"]))
    assert.deepStrictEqual(parts(2, 3), [1, 1, 1])
  })

  it("leave what is set as it is", () => {
    const set = { ...settings, token: Redacted.make("own"), workers: 5, connections: 9, logFormat: "pretty" }
    const [first, second] = planRunners(2, set, machine)
    assert.deepStrictEqual(
      [first?.["CLUSTER_TOKEN"], first?.["PAGE_WORKERS"], second?.["PAGE_WORKERS"], first?.["DATABASE_CONNECTIONS"]],
      ["own", "3", "2", "9"]
    )
    assert.isUndefined(first?.["LOG_FORMAT"])
    assert.isUndefined(planRunners(1, { ...settings, tokenFile: "/token" }, machine)[0]?.["CLUSTER_TOKEN"])
  })

  it("name themselves in each line of the one log", () => {
    const lines: Array<string> = []
    const { end, push } = makeLines((line) => lines.push(named(2, line)))
    push('{"message":"a"}\nplain')
    push(" text\n\nrest")
    end()
    assert.deepStrictEqual(lines, ['{"runner":2,"message":"a"}', "[2] plain text", "", "[2] rest"])
    assert.deepStrictEqual(JSON.parse(lines[0] ?? ""), { runner: 2, message: "a" })
  })
})
