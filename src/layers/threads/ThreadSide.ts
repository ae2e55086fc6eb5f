// What a thread of `Thread.ts` does: it answers one call after the other until it is told to end.
import { parentPort } from "node:worker_threads"

const isCall = (message: unknown): message is { readonly id: number; readonly body: unknown } =>
  typeof message === "object" && message !== null && "id" in message && "body" in message

/** `answer` may throw: the call fails with what it says. */
export const serveCalls = (answer: (body: unknown) => unknown, close: () => void = () => {}): void => {
  const port = parentPort
  if (port === null) return
  const reply = (message: unknown): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    port.postMessage(message)
  }
  let last: Promise<void> = Promise.resolve()
  const serve = async ({ body, id }: { readonly id: number; readonly body: unknown }): Promise<void> => {
    try {
      reply({ id, body: await answer(body) })
    } catch (error) {
      reply({ id, error: error instanceof Error ? error.message : String(error) })
    }
  }
  port.on("message", (message: unknown) => {
    if (isCall(message)) {
      last = last.then(() => serve(message))
    } else {
      void last.then(() => {
        close()
        port.close()
      })
    }
  })
}
