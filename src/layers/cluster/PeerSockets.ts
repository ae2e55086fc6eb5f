/**
 * The connections between runners: TLS whose keys come from the token that they share, without certificates. Both sides prove that
 * they know the token, and nothing on the way reads or changes what they say. A port without this would take messages to tenants'
 * actors from every process that reaches it.
 */
import { hkdfSync } from "node:crypto"
import type { TlsOptions } from "node:tls"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, Layer, Redacted } from "effect"
import { RpcClientProtocol } from "effect/cluster/Runners"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { Socket } from "effect/socket/Socket"
import { SocketServer } from "effect/socket/SocketServer"
import { type ClusterSettings, ClusterUnusable } from "../config/ClusterConfig.ts"

/** Fresh keys for every connection (ECDHE), so that a token that leaks later opens no recorded conversation. */
const tls = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
  ciphers: "ECDHE-PSK-CHACHA20-POLY1305"
} as const satisfies TlsOptions

export interface PeerKey {
  readonly key: Uint8Array
  /** Tells tokens apart without telling the token: it is no use for finding one of so many characters. */
  readonly id: string
}

const derive = (token: Redacted.Redacted, purpose: string, length: number) =>
  new Uint8Array(hkdfSync("sha256", Redacted.value(token), "sluice", purpose, length))

export const peerKey = (token: Redacted.Redacted): PeerKey => ({
  key: derive(token, "key", 32),
  id: Buffer.from(derive(token, "id", 8)).toString("hex")
})

/** Peers that were refused are logged once each, up to a bound. */
const mostTold = 256

const makeRefusal = Effect.gen(function* () {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const told = new Set<string>()
  return (peer: string) => {
    if (told.has(peer) || told.size >= mostTold) return
    told.add(peer)
    run(
      Effect.logWarning("a peer was refused: its CLUSTER_TOKEN is not the one of this runner").pipe(
        Effect.annotateLogs({ code: "CLUSTER_PEER_REFUSED", peer })
      )
    )
  }
})

const unusable = ({ address, listenHost }: ClusterSettings, cause: unknown) => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const detail = `the port ${address.port} at ${listenHost} cannot be opened (${reason}); CLUSTER_PORT and CLUSTER_LISTEN_HOST name another one`
  return new ClusterUnusable({ detail })
}

/** The open port. It refuses every peer without the token. */
export const layerServer = (settings: ClusterSettings) =>
  Layer.effect(
    SocketServer,
    Effect.gen(function* () {
      const { id, key } = peerKey(settings.token)
      const refuse = yield* makeRefusal
      return yield* NodeSocketServer.makeTls({
        ...tls,
        host: settings.listenHost,
        port: settings.address.port,
        handshakeTimeout: 2_000,
        pskCallback: (socket, identity) => {
          if (identity === id) return key
          refuse(socket.remoteAddress ?? "unknown")
          return null
        }
      })
    }).pipe(Effect.mapError(({ reason }) => unusable(settings, reason.cause)))
  )

/** Connections to other runners. */
export const layerClient = ({ token }: ClusterSettings) =>
  Layer.effect(
    RpcClientProtocol,
    Effect.gen(function* () {
      const serialization = yield* RpcSerialization.RpcSerialization
      const { id, key } = peerKey(token)
      return {
        codecFor: serialization.codecFor,
        make: Effect.fnUntraced(function* ({ host, port }) {
          const socket = yield* NodeSocket.makeTls({
            ...tls,
            host,
            port,
            openTimeout: "2 seconds",
            pskCallback: () => ({ psk: key, identity: id }),
            // There is no certificate: the key that both sides know is the identity.
            checkServerIdentity: () => undefined
          })
          return yield* RpcClient.makeProtocolSocket().pipe(
            Effect.provideService(Socket, socket),
            Effect.provideService(RpcSerialization.RpcSerialization, serialization)
          )
        }, Effect.orDie)
      }
    })
  )
