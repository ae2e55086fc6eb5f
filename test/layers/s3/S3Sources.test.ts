import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { TenantId } from "../../../src/domain/Ids.ts"
import { makeS3Sources, S3SourcesConfig } from "../../../src/layers/s3/S3Sources.ts"

const acme = TenantId.make("acme")
const other = TenantId.make("other")

const settingsFrom = (env: Record<string, string>) =>
  S3SourcesConfig.parse(ConfigProvider.fromEnv({ env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", ...env } }))

const sourcesFrom = (env: Record<string, string>) =>
  Effect.map(settingsFrom(env), (settings) =>
    settings === undefined
      ? assert.fail("no bucket is allowed")
      : makeS3Sources(settings, () => Effect.die("no call is made"), "1 minute")
  )

const outcome = (env: Record<string, string>) =>
  Effect.fnUntraced(function* (text: string, tenant: TenantId) {
    const sources = yield* sourcesFrom(env)
    return yield* Effect.match(sources.resolve(text, tenant), {
      onSuccess: ({ url }) => url,
      onFailure: ({ failure }) => failure.code
    })
  })

it.effect("a tenant may read what is allowed to all, to it alone, and below a prefix with its id", () =>
  Effect.gen(function* () {
    const resolve = outcome({ S3_SOURCE_BUCKETS: "s3://shared/in, s3://mine/{tenant} ,acme=s3://of-acme" })
    for (const [text, tenant] of [
      ["s3://shared/in/a b.pdf", other],
      ["s3://mine/acme/x/y.pdf", acme],
      ["s3://mine/other/y.pdf", other],
      ["s3://of-acme/y.pdf", acme],
      ["S3://of-acme/y%20z.pdf", acme]
    ] as const)
      assert.strictEqual(yield* resolve(text, tenant), text.replace("S3:", "s3:"))
  })
)

it.effect("a tenant may not read another's prefix or bucket, nor leave an allowed prefix", () =>
  Effect.gen(function* () {
    const resolve = outcome({ S3_SOURCE_BUCKETS: "s3://shared/in,s3://mine/{tenant},acme=s3://of-acme" })
    for (const [text, tenant] of [
      ["s3://mine/acme/y.pdf", other],
      ["s3://mine/{tenant}/y.pdf", acme],
      ["s3://mine/acme-too/y.pdf", acme],
      ["s3://of-acme/y.pdf", other],
      ["s3://shared/in", acme],
      ["s3://shared/inner/a.pdf", acme],
      ["s3://shared/in/../secret.pdf", acme],
      ["s3://shared/in/./a.pdf", acme],
      ["s3://shared/in//a.pdf", acme],
      ["s3://shared/in/", acme],
      ["s3://shared", acme],
      ["s3:///in/a.pdf", acme],
      ["s3://elsewhere/in/a.pdf", acme],
      ["s3://sha/red/in/a.pdf", acme],
      ["s3://shared/in/a\u0000.pdf", acme]
    ] as const)
      assert.strictEqual(yield* resolve(text, tenant), "SOURCE_REFUSED", text)
  })
)

it.effect("originals of the service are never a source", () =>
  Effect.gen(function* () {
    const env = { BLOBS: "s3://all/originals", S3_SOURCE_BUCKETS: "s3://all" }
    assert.strictEqual(yield* outcome(env)("s3://all/originals/ab/abcd", acme), "SOURCE_REFUSED")
    assert.strictEqual(yield* outcome(env)("s3://all/in/a.pdf", acme), "s3://all/in/a.pdf")
  })
)

it.effect("a wrong list is refused at start, and none allows nothing", () =>
  Effect.gen(function* () {
    assert.isUndefined(yield* settingsFrom({}))
    for (const list of ["bucket", "s3://", "not a tenant=s3://bucket", "s3://bucket/../x", "https://example.org"])
      assert.strictEqual((yield* Effect.flip(settingsFrom({ S3_SOURCE_BUCKETS: list })))._tag, "ConfigError", list)
  })
)
