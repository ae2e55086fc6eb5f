// What a thread of `Thread.ts` does: it answers one call after the other until it is told to end.
import { parentPort } from "node:worker_threads"

interface Numbered<Call> {
  readonly id: number
  readonly body: Call
}

/** Of its body nothing is checked: only this package's own modules call a thread. */
const isCall = <Call>(message: unknown): message is Numbered<Call> =>
  typeof message === "object" && message !== null && "id" in message && "body" in message

/** `answer` may throw: the call fails with what it says. */
export const serveCalls = <Call>(answer: (call: Call) => unknown, close: () => void = () => {}): void => {
  const port = parentPort
  if (port === null) return
  const reply = (message: unknown): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    port.postMessage(message)
  }
  let last: Promise<void> = Promise.resolve()
  const serve = async ({ body, id }: Numbered<Call>): Promise<void> => {
    try {
      reply({ id, body: await answer(body) })
    } catch (error) {
      reply({ id, error: error instanceof Error ? error.message : String(error) })
    }
  }
  port.on("message", (message: unknown) => {
    if (isCall<Call>(message)) {
      last = last.then(() => serve(message))
    } else {
      void last.then(() => {
        close()
        port.close()
      })
    }
  })
}
