// A real S3 server for tests: OpenStack Swift with its S3 interface, from Debian's packages. It checks signatures and the hashes of bodies.
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Config, ConfigProvider, Duration, Effect, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { S3Access } from "../../../src/layers/s3/S3Settings.ts"
import { emptyHash, sign } from "../../../src/layers/s3/Signature.ts"

const program = fileURLToPath(new URL("serve.py", import.meta.url))

/** Where packages were unpacked without installing them: a folder with `usr/lib/python3/dist-packages` in it. */
const unpacked = Effect.runSync(
  Effect.provideService(
    Config.withDefault(Config.String("SLUICE_SWIFT"), "/"),
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromEnv()
  )
)
// The system's own Python, for which Debian's packages are; another one may come first in PATH.
const python = "/usr/bin/python3"

const libraries = (root: string) => {
  const folder = join(root, "usr/lib")
  return readdirSync(folder)
    .filter((name) => name.endsWith("-linux-gnu"))
    .map((name) => join(folder, name))
    .join(":")
}

const environment =
  unpacked === "/"
    ? {}
    : {
        PYTHONPATH: join(unpacked, "usr/lib/python3/dist-packages"),
        LD_LIBRARY_PATH: existsSync(unpacked) ? libraries(unpacked) : ""
      }
const env = { ...environment, PYTHONDONTWRITEBYTECODE: "1", PATH: "/usr/bin:/bin" }

/** Why there is no S3 server for tests on this machine; undefined if there is one. */
export const swiftMissing: string | undefined =
  existsSync(python) &&
  spawnSync(python, ["-c", "import swift.proxy.server, swift.obj.server"], { env, stdio: "ignore" }).status === 0
    ? undefined
    : "skipped: OpenStack Swift is not installed (Debian: swift-proxy swift-account swift-container swift-object)"

export const swiftCredentials = { keyId: "test:tester", secret: "testing" } as const

export interface Swift {
  readonly pid: number
  readonly url: string
  readonly access: S3Access
  /** For a server process, without the bucket. */
  readonly env: Readonly<Record<string, string>>
  readonly makeBucket: (name: string) => Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export const accessOf = (url: string, secret: string = swiftCredentials.secret): S3Access => ({
  endpoint: new URL(url),
  region: "us-east-1",
  pathStyle: true,
  credentials: { keyId: swiftCredentials.keyId, secret: Redacted.make(secret), sessionToken: undefined },
  timeout: Duration.seconds(30)
})

export const envOf = (url: string) => ({
  S3_ENDPOINT: url,
  AWS_ACCESS_KEY_ID: swiftCredentials.keyId,
  AWS_SECRET_ACCESS_KEY: swiftCredentials.secret
})

const makeBucketAt = (url: string) =>
  Effect.fnUntraced(function* (name: string) {
    const { credentials, region } = accessOf(url)
    const target = new URL(`${url}/${name}`)
    const unsigned = { method: "PUT", url: target, headers: {}, bodyHash: emptyHash } as const
    const { host: _, ...headers } = sign(unsigned, credentials, region, Date.now())
    const { status } = yield* HttpClient.execute(HttpClientRequest.put(target.href, { headers })).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.orDie
    )
    if (status !== 200) return yield* Effect.die(new Error(`the bucket ${name} was not made: ${status}`))
  })

/** Starts the server on a folder of its own, and waits until it answers. It ends with the scope. */
export const startSwift = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-swift-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(python, ["-W", "ignore", program, folder], { env, stdio: ["pipe", "pipe", "pipe"] })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  let told = ""
  child.stderr.on("data", (chunk: Buffer) => (told = (told + chunk.toString()).slice(-4000)))
  const port = yield* Effect.callback<number>((resume) => {
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      if (output.endsWith("\n")) resume(Effect.succeed(Number(output)))
    })
    child.once("exit", () => resume(Effect.die(new Error(`Swift did not start:\n${told}`))))
  })
  const url = `http://127.0.0.1:${port}`
  const swift: Swift = {
    pid: child.pid ?? 0,
    url,
    access: accessOf(url),
    env: envOf(url),
    makeBucket: makeBucketAt(url),
    signal: (signal) => Effect.sync(() => child.kill(signal))
  }
  return swift
})
