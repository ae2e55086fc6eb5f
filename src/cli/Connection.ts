import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Config, Effect, Layer, Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { DocumentId, type InvalidBaseUrl, make, SluiceClient, TenantId } from "../client.ts"
import { WrongUsage } from "./CommandFailure.ts"

/** The server that a command connects to, and the tenant that it acts for. */
export const connection = {
  url: Flag.String("url").pipe(
    Flag.withDescription("Where the server listens; otherwise SLUICE_URL, or http://127.0.0.1:3000"),
    Flag.withFallbackConfig(Config.String("SLUICE_URL")),
    Flag.withDefault("http://127.0.0.1:3000")
  ),
  tenant: Flag.String("tenant").pipe(
    Flag.withAlias("t"),
    Flag.withSchema(TenantId),
    Flag.withDescription("The tenant to act for; otherwise the server's default tenant"),
    Flag.optional
  )
}

export interface Connection {
  readonly url: string
  readonly tenant: Option.Option<TenantId>
}

const wrongUrl = ({ why }: InvalidBaseUrl) =>
  new WrongUsage({
    message:
      why === "url"
        ? "what --url or SLUICE_URL says is no http(s) URL"
        : "the URL of --url or SLUICE_URL must not contain credentials; a key belongs into SLUICE_API_KEY"
  })

/** The key comes only from SLUICE_API_KEY: every user of the machine can see arguments. */
const layerOf = ({ tenant, url }: Connection) =>
  Layer.effect(
    SluiceClient,
    Effect.gen(function* () {
      const apiKey = yield* Config.option(Config.Redacted("SLUICE_API_KEY"))
      return yield* make({
        baseUrl: url,
        tenant: Option.getOrUndefined(tenant),
        apiKey: Option.getOrUndefined(apiKey)
      }).pipe(Effect.catchTag("InvalidBaseUrl", (error) => wrongUrl(error)))
    })
  ).pipe(Layer.provide(NodeHttpClient.layerNodeHttp))

/** Provides the client to a command's handler, whose input contains the flags above. */
export const connected = <A, E, R>(effect: Effect.Effect<A, E, R>, input: Connection) =>
  Effect.provide(effect, layerOf(input))

export const documentId = Argument.String("id").pipe(
  Argument.withDescription("The document's id"),
  Argument.withSchema(DocumentId)
)

/** Passwords come from the environment for the same reason. */
export const pdfPassword = Config.map(Config.option(Config.Redacted("SLUICE_PDF_PASSWORD")), Option.getOrUndefined)
