import { Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { AddressPolicy, HostNames } from "../../../src/layers/net/AddressPolicy.ts"

/** A server on a free loopback port, closed with the scope. */
export const serve = (handle: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const server = createServer(handle)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ port, close: () => (server.closeAllConnections(), server.close()) }))
      })
    }),
    (server) => Effect.sync(server.close)
  )

/** Lets the loopback ports through; every other address is judged as ever. */
export const allowLoopback = (...ports: ReadonlyArray<number>) =>
  Layer.effect(
    AddressPolicy,
    Effect.map(AddressPolicy, (strict) => ({
      allows: (address: string, port: number) =>
        (address === "127.0.0.1" && ports.includes(port)) || strict.allows(address, port)
    }))
  )

/** Answers in turn for every look-up of any name, and counts them. */
export const scriptedNames = (...answers: ReadonlyArray<ReadonlyArray<string>>) => {
  const asked: Array<string> = []
  const layer = Layer.succeed(HostNames, {
    resolve: (host: string) =>
      Effect.suspend(() => {
        asked.push(host)
        const answer = answers[asked.length - 1]
        return answer === undefined ? Effect.fail({ code: "ENOTFOUND" }) : Effect.succeed(answer)
      })
  })
  return { asked, layer }
}
