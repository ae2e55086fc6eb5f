import { createServer } from "node:net"
import { Effect } from "effect"
import { clusterSettings } from "../../layers/config/ClusterConfig.ts"
import { fail, ok } from "./Finding.ts"

const name = "cluster"

/** Whether this process could listen there. */
export const listen = (host: string, port: number) =>
  Effect.callback<void, NodeJS.ErrnoException>((resume) => {
    const server = createServer()
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen(port, host, () => server.close(() => resume(Effect.void)))
    return Effect.sync(() => server.close())
  })

/** Checks the port between runners, and that there is a token for it. */
export const checkCluster = Effect.gen(function* () {
  const settings = yield* clusterSettings
  if (settings === undefined) return ok(name, "off: this process works alone (CLUSTER)")
  const { address, listenHost } = settings
  return yield* Effect.match(listen(listenHost, address.port), {
    onSuccess: () => ok(name, `${listenHost}:${address.port} is free, and others reach it as ${address.host}`),
    onFailure: ({ code, message }) =>
      fail(
        name,
        `${listenHost}:${address.port}: ${code === "EADDRINUSE" ? "it is taken" : message}`,
        "A runner may be there already; otherwise choose another CLUSTER_PORT or CLUSTER_LISTEN_HOST."
      )
  })
}).pipe(
  Effect.catchTag("ClusterUnusable", ({ detail }) =>
    Effect.succeed(fail(name, `CLUSTER: ${detail}`, "Correct the variable; a server would not start."))
  )
)
