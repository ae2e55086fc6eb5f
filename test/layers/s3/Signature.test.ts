import { createHash } from "node:crypto"
import { assert, it } from "@effect/vitest"
import { Redacted } from "effect"
import { emptyHash, encodePath, encodeQuery, presign, sign, type Unsigned } from "../../../src/layers/s3/Signature.ts"

// The examples of "Authenticating Requests (AWS Signature Version 4)" in Amazon's reference of S3.
const credentials = {
  keyId: "AKIAIOSFODNN7EXAMPLE",
  secret: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  sessionToken: undefined
}
const moment = Date.UTC(2013, 4, 24)
const host = "https://examplebucket.s3.amazonaws.com"

const signatureOf = (request: Omit<Unsigned, "bodyHash" | "headers"> & Partial<Unsigned>) => {
  const { authorization = "" } = sign(
    { headers: {}, bodyHash: emptyHash, ...request },
    credentials,
    "us-east-1",
    moment
  )
  return authorization.slice(authorization.indexOf("Signature=") + "Signature=".length)
}

it("signs a GET with a range as Amazon's example does", () => {
  assert.strictEqual(
    signatureOf({ method: "GET", url: new URL(`${host}/test.txt`), headers: { range: "bytes=0-9" } }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
  )
})

it("signs a PUT with the hash of its body as Amazon's example does", () => {
  assert.strictEqual(
    signatureOf({
      method: "PUT",
      url: new URL(`${host}/${encodePath("test$file.text")}`),
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      bodyHash: createHash("sha256").update("Welcome to Amazon S3.").digest("hex")
    }),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
  )
})

it("signs a query as Amazon's examples do", () => {
  assert.strictEqual(
    signatureOf({ method: "GET", url: new URL(`${host}/?${encodeQuery({ prefix: "J", "max-keys": "2" })}`) }),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
  )
  assert.strictEqual(
    signatureOf({ method: "GET", url: new URL(`${host}/?${encodeQuery({ lifecycle: "" })}`) }),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
  )
})

it("signs a URL that expires as Amazon's example does", () => {
  const url = presign("GET", new URL(`${host}/test.txt`), credentials, "us-east-1", moment, 86_400)
  assert.strictEqual(
    url.searchParams.get("X-Amz-Signature"),
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
  )
})

it("encodes everything that is not unreserved, and no slash of a path", () => {
  assert.strictEqual(encodePath("a b/c+d(é)*~'!"), "a%20b/c%2Bd%28%C3%A9%29%2A~%27%21")
  assert.strictEqual(encodeQuery({ b: "x/y", a: "=" }), "a=%3D&b=x%2Fy")
})

it("signs a session token, and shows no secret", () => {
  const token = Redacted.make("a token")
  const headers = sign(
    { method: "GET", url: new URL(`${host}/x`), headers: {}, bodyHash: emptyHash },
    { ...credentials, sessionToken: token },
    "us-east-1",
    moment
  )
  assert.include(headers["authorization"], "x-amz-security-token")
  assert.notInclude(JSON.stringify(headers), "wJalrXUtnFEMI")
})
