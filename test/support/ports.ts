// Ports of the loopback for servers that need to know theirs before they start.
import { randomInt } from "node:crypto"
import { createServer } from "node:net"

/** Below those that systems give to connections, so that no connection of another test takes the port before the server does. */
const [least, most] = [10_000, 32_000]

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

/** A port of the loopback that was free a moment ago. */
export const findFreePort = async (): Promise<number> => {
  const port = randomInt(least, most)
  return (await isFree(port)) ? port : findFreePort()
}
