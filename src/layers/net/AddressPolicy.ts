import { lookup, Resolver } from "node:dns/promises"
import { Context, Effect, Predicate } from "effect"
import { isLocalhost, isPublicAddress } from "../../domain/net/PublicAddress.ts"

/**
 * Which addresses may be dialled besides those that the operator's lists of private hosts allow. There is no configuration for
 * it; only a test may let one loopback port through.
 */
export const AddressPolicy = Context.Reference<{
  readonly allows: (address: string, port: number) => boolean
}>("sluice/layers/net/AddressPolicy", { defaultValue: () => ({ allows: isPublicAddress }) })

/** Addresses of a host name, in the order in which to dial them. Fails with the resolver's error. */
export const HostNames = Context.Reference<{
  readonly resolve: (host: string) => Effect.Effect<ReadonlyArray<string>, unknown>
}>("sluice/layers/net/AddressPolicy/HostNames", { defaultValue: () => ({ resolve: resolveHost }) })

const queryTimeoutMillis = 3_000

/**
 * Asks the name servers directly. The system's own lookup would hold a thread of the pool that files need too, for as long as a
 * slow name server takes, and could not be stopped.
 */
const resolveHost = Effect.fnUntraced(function* (host: string) {
  if (isLocalhost(host)) return ["127.0.0.1", "::1"]
  const resolver = new Resolver({ timeout: queryTimeoutMillis, tries: 2 })
  const query = (ask: () => Promise<Array<string>>) =>
    Effect.result(Effect.tryPromise({ try: ask, catch: (error) => error }))
  const [four, six] = yield* Effect.all([query(() => resolver.resolve4(host)), query(() => resolver.resolve6(host))], {
    concurrency: 2
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => resolver.cancel())))
  if (four._tag === "Failure" && six._tag === "Failure") {
    return yield* Effect.fail(isNoSuchName(four.failure) ? six.failure : four.failure)
  }
  return [four, six].flatMap((answer) => (answer._tag === "Success" ? answer.success : []))
})

/** Codes for a name that does not exist, and for a text that cannot be a name; any other error may pass. */
const noSuchName: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA", "ENONAME", "EBADNAME"])

export const isNoSuchName = (cause: unknown): boolean =>
  Predicate.hasProperty(cause, "code") && noSuchName.has(cause.code)

/**
 * The system's own lookup, with its file of hosts and its search domains. It holds a thread until it is done, so it is only for
 * names that the operator listed, and only when the name servers know none of them.
 */
export const lookUpOfSystem = (host: string): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.tryPromise({ try: () => lookup(host, { all: true }), catch: (error) => error }).pipe(
    Effect.map((found) => found.map(({ address }) => address))
  )
