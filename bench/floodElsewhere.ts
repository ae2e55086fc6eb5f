/** A server that refuses everything as slowly as the service refuses a flood, and knows nothing else. Tells its parent its port. */
import { createServer } from "node:http"

const pauseMillis = Number(process.argv[2])

const server = createServer((_, response) => {
  setTimeout(() => response.writeHead(429).end(), pauseMillis)
}).listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(typeof address === "object" ? address?.port : undefined)
})
