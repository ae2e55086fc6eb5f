// A thread that answers with all calls it was sent so far, or ends at once when it is told to.
import { serveCalls } from "../../../src/layers/threads/ThreadSide.ts"

const calls: Array<string> = []

serveCalls(async (call: string) => {
  if (call === "die") process.exit(1)
  if (call === "fail") throw new Error("it cannot be done")
  calls.push(call)
  // So that others come meanwhile.
  await new Promise((resolve) => setImmediate(resolve))
  return [...calls]
})
