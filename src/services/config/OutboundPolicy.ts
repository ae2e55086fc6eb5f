import { Config, Context, Layer, Result, Schema } from "effect"
import { noPrivateHosts, parsePrivateHosts, type PrivateHosts } from "../../domain/net/PrivateHosts.ts"

// Which hosts outside the public internet tenants may make the engine speak to. None, unless the operator says so.

/** Hosts that source URLs may name. */
export const PrivateSources = Context.Reference<PrivateHosts>("sluice/services/config/OutboundPolicy/PrivateSources", {
  defaultValue: () => noPrivateHosts
})

/** Hosts that callbacks and webhooks may name. */
export const PrivateWebhooks = Context.Reference<PrivateHosts>(
  "sluice/services/config/OutboundPolicy/PrivateWebhooks",
  {
    defaultValue: () => noPrivateHosts
  }
)

const privateHosts = (name: string): Config.Config<PrivateHosts> =>
  Config.schema(
    Schema.String.check(
      Schema.makeFilter((text: string) =>
        Result.match(parsePrivateHosts(text), {
          onFailure: (detail) =>
            `networks, addresses and host names such as 10.1.0.0/16, minio.internal:9000; ${detail}`,
          onSuccess: () => true
        })
      )
    ),
    name
  ).pipe(
    Config.map((text) => Result.getOrElse(parsePrivateHosts(text), () => noPrivateHosts)),
    Config.withDefault(noPrivateHosts)
  )

/** `ALLOW_PRIVATE_SOURCES` and `ALLOW_PRIVATE_WEBHOOKS`. */
export const OutboundPolicyConfig = Config.all({
  sources: privateHosts("ALLOW_PRIVATE_SOURCES"),
  webhooks: privateHosts("ALLOW_PRIVATE_WEBHOOKS")
})

/** Both as the environment says. */
export const layerFromEnv = Layer.mergeAll(
  Layer.effect(
    PrivateSources,
    Config.map(OutboundPolicyConfig, ({ sources }) => sources)
  ),
  Layer.effect(
    PrivateWebhooks,
    Config.map(OutboundPolicyConfig, ({ webhooks }) => webhooks)
  )
)
