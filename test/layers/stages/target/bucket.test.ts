import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { layerHttp, makeBucket } from "../../../../src/layers/s3/Bucket.ts"

import { stagesFrom } from "../../../../src/layers/stages/StagesFrom.ts"
import { PageImages } from "../../../../src/services/PageImages.ts"
import { documentId, documentInput, layerOf, pageOf, stagesOf, textOf } from "../../../support/stageInputs.ts"
import { envOf, startSwift, swiftMissing } from "../../../support/swift/Swift.ts"

const noImages = PageImages.of({ render: () => Effect.die("no image is drawn here") })

const written = (to: string) => ({
  out: { type: "target", to, files: [{ path: "{tenant}/{id}.md", content: "markdown" }] } as const
})

const settings = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

const stageTo = (to: string, env: Record<string, string>) =>
  stagesFrom(stagesOf(written(to))).pipe(
    Effect.provideService(PageImages, noImages),
    Effect.provide([layerOf(written(to)), SecureRandom.layerWebCrypto, settings(env)])
  )

describe.skipIf(swiftMissing !== undefined)(`A target in a bucket of a real server ${swiftMissing ?? ""}`, () => {
  it.live("gets whole objects below its prefix", () =>
    Effect.gen(function* () {
      const swift = yield* startSwift
      yield* swift.makeBucket("out")
      const [made] = yield* stageTo("s3://out/of/sluice", envOf(swift.url))
      if (made?.kind !== "document") return assert.fail("no document stage")
      const { content } = yield* made
        .run(documentInput([pageOf(1, "one"), pageOf(2, "two"), pageOf(3, "three")]))
        .pipe(Effect.provide(layerOf(written("s3://out/of/sluice"))))
      const bucket = yield* Effect.provide(makeBucket(swift.access, "out"), layerHttp)
      const { bytes } = yield* bucket.open(`of/sluice/acme/${documentId}.md`)
      const stored = yield* Stream.mkString(Stream.decodeText(bytes))
      assert.match(stored, /^one\n[^]*two[^]*three/)
      assert.deepStrictEqual(JSON.parse(textOf(content)), {
        to: "s3://out/of/sluice",
        files: [
          {
            path: `acme/${documentId}.md`,
            size: Buffer.byteLength(stored),
            sha256: createHash("sha256").update(stored).digest("hex"),
            mediaType: "text/markdown; charset=utf-8"
          }
        ]
      })
    }).pipe(Effect.scoped)
  )
})

describe("A target in a bucket", () => {
  it.live("is none among the originals", () =>
    Effect.gen(function* () {
      const env = { BLOBS: "s3://blobs/originals", AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "s" }
      const error = yield* Effect.flip(stageTo("s3://blobs/originals/out", env))
      assert.include(error.message, "stages.out: to: originals are kept there (BLOBS)")
      assert.lengthOf(yield* stageTo("s3://blobs/out", env), 1)
    }).pipe(Effect.scoped)
  )
})
