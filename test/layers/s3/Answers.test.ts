import { assert, it } from "@effect/vitest"
import { element, readListPage, reasonOf } from "../../../src/layers/s3/Answers.ts"

it("reads a page of a list, with escaped keys", () => {
  const page = readListPage(
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>
      <Contents><Key>a &amp; b/&#233;&#x1F600;.pdf</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>
        <ETag>&quot;x&quot;</ETag><Size>12</Size></Contents>
      <Contents><Size>0</Size><Key>c</Key><LastModified>2026-01-02T03:04:05Z</LastModified></Contents>
      <NextContinuationToken>a&lt;b</NextContinuationToken></ListBucketResult>`
  )
  assert.deepStrictEqual(page, {
    objects: [
      { key: "a & b/é😀.pdf", size: 12, modifiedAtMillis: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
      { key: "c", size: 0, modifiedAtMillis: Date.UTC(2026, 0, 2, 3, 4, 5) }
    ],
    next: "a<b"
  })
  assert.deepStrictEqual(readListPage("<ListBucketResult></ListBucketResult>"), { objects: [], next: undefined })
})

it("takes nothing else for a list", () => {
  assert.isUndefined(readListPage("<html>It works</html>"))
  assert.isUndefined(readListPage("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"))
})

it("knows what refusals mean", () => {
  assert.strictEqual(element("<Error><Code>NoSuchBucket</Code></Error>", "Code"), "NoSuchBucket")
  for (const [status, code, reason] of [
    [403, "SignatureDoesNotMatch", "wrong-key"],
    [403, "InvalidAccessKeyId", "wrong-key"],
    [403, "AccessDenied", "not-allowed"],
    [403, "RequestTimeTooSkewed", "clocks-apart"],
    [403, undefined, "not-allowed"],
    [404, "NoSuchBucket", "no-bucket"],
    [301, "PermanentRedirect", "other-region"],
    [307, undefined, "other-region"],
    [400, "AuthorizationHeaderMalformed", "other-region"],
    [400, "BadDigest", "damaged"],
    [400, "constructor", "refused"],
    [400, undefined, "refused"],
    [429, undefined, "busy"],
    [503, "SlowDown", "busy"],
    [500, undefined, "busy"],
    [502, "unheard of", "busy"]
  ] as const)
    assert.strictEqual(reasonOf(status, code), reason, `${status} ${code}`)
})
