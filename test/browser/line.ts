import { Effect } from "effect"
import { connect, createServer, type Socket } from "node:net"

/** A line to the server that can be cut: connections break, and new ones fail until it is mended. */
export const makeLine = Effect.fnUntraced(function* (url: string) {
  const sockets = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) return near.destroy()
    const far = connect(Number(new URL(url).port), "127.0.0.1")
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on("error", () => {})
      from.on("close", () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    return undefined
  })
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        breakAll()
      })
  )
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => {
      whole = false
      breakAll()
    },
    mend: () => {
      whole = true
    }
  }
})
