import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpApi, type HttpApiEndpoint } from "effect/http-api"
import { Api } from "../../src/http/api/Api.ts"
import { get, testServer } from "./client.ts"

const record = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Unknown))
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => (inner === undefined ? undefined : record(inner)[key]), value)

/** One kind of body of one endpoint, in the document and in the contract. */
interface Body {
  readonly title: string
  readonly media: unknown
  readonly schemas: ReadonlyArray<Schema.Top>
  /** That the answer must have. */
  readonly headers: ReadonlyArray<string>
}

/** Streams are described by what they consist of. */
const streamed = (schema: Schema.Top): ReadonlyArray<Schema.Top> =>
  [...("events" in schema ? [schema.events] : []), ...("schema" in schema ? [schema.schema] : [])].filter(
    Schema.isSchema
  )

const isStream = (schema: Schema.Top) => "mode" in schema

/** Texts and files have no examples. */
const isJson = (type: string) => /json|event-stream/.test(type)

const bodiesOf = (document: unknown): ReadonlyArray<Body> => {
  const bodies: Array<Body> = []
  const add = (
    title: string,
    described: unknown,
    schemas: ReadonlyArray<Schema.Top>,
    headers: ReadonlyArray<string>
  ) => {
    for (const [type, media] of Object.entries(record(at(described, "content") ?? {}))) {
      if (isJson(type)) bodies.push({ title: `${title} ${type}`, media, schemas, headers })
    }
  }
  const payloadsOf = (endpoint: HttpApiEndpoint.Top) =>
    Array.from(endpoint.payload.values()).flatMap(({ schemas }) => schemas)
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, errors, successes }) => {
      const title = `${endpoint.method} ${endpoint.path}`
      const path = endpoint.path.replace(/:(\w+)/g, "{$1}")
      const operation = at(document, "paths", path, endpoint.method.toLowerCase())
      add(`${title} request`, at(operation, "requestBody") ?? {}, payloadsOf(endpoint), [])
      const streams = Array.from(endpoint.success).filter(isStream).flatMap(streamed)
      for (const [status, answer] of Object.entries(record(at(operation, "responses")))) {
        const plain = [successes, errors].flatMap((known) => known.get(Number(status)) ?? [])
        const schemas = plain.length > 0 ? plain : streams
        add(`${title} ${status}`, answer, schemas, Object.keys(record(at(answer, "headers") ?? {})))
      }
    }
  })
  return bodies
}

/** Those of a schema, or of every choice that it has. */
const examplesOf = (document: unknown, schema: unknown): ReadonlyArray<unknown> => {
  const reference = at(schema, "$ref")
  if (typeof reference === "string") return examplesOf(document, at(document, ...reference.split("/").slice(1)))
  const own = at(schema, "examples")
  if (Array.isArray(own)) return own
  const choices = at(schema, "anyOf")
  if (!Array.isArray(choices)) return []
  const all = choices.map((choice) => examplesOf(document, choice))
  return all.every((some) => some.length > 0) ? all.flat() : []
}

const headerValues: Readonly<Record<string, unknown>> = { "retry-after": 5, "www-authenticate": "Bearer" }

/** Decodes and encodes the example by the schema that the server answers with. */
const roundTrip = Effect.fnUntraced(function* ({ headers, schemas }: Body, example: unknown) {
  const codec = Schema.toCodecJson(Schema.make<Schema.Codec<unknown>>(Schema.Union(schemas).ast))
  const withHeaders = headers.length > 0
  const values = Object.fromEntries(headers.map((name) => [name, headerValues[name]]))
  const sent = withHeaders ? { body: example, headers: values } : example
  const decoded = yield* Schema.decodeUnknownEffect(codec)(sent, { onExcessProperty: "error" })
  const encoded = yield* Schema.encodeEffect(codec)(decoded)
  return withHeaders ? at(encoded, "body") : encoded
})

describe("the examples of the interface's description", () => {
  it.effect("are there for every body, and are what the server itself would send or take", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const bodies = bodiesOf(json)
      assert.isAbove(bodies.length, 150)
      for (const body of bodies) {
        const examples = examplesOf(json, at(body.media, "schema"))
        assert.isNotEmpty(examples, body.title)
        for (const example of examples) {
          const same = yield* roundTrip(body, example).pipe(
            Effect.mapError((error) => new Error(`${body.title}: ${String(error)}`))
          )
          assert.deepStrictEqual(same, example, body.title)
        }
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("and parameters have the types that they mean, and schemas the names that they are known by", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const types = new Map<string, unknown>()
      for (const operations of Object.values(record(at(json, "paths")))) {
        for (const operation of Object.values(record(operations))) {
          const all = at(operation, "parameters")
          for (const parameter of Array.isArray(all) ? all : []) {
            const type = at(parameter, "schema", "type")
            const name = String(at(parameter, "name"))
            assert.isUndefined(at(parameter, "schema", "additionalProperties"), name)
            if (type !== "string") types.set(name, type)
            const examples = at(parameter, "schema", "examples")
            for (const example of Array.isArray(examples) ? examples : []) {
              const given = Array.isArray(example) ? "array" : typeof example
              assert.strictEqual(given, type === "integer" ? "number" : type, name)
            }
          }
        }
      }
      assert.deepStrictEqual(Object.fromEntries([...types].toSorted()), {
        after: "integer",
        detail: "boolean",
        dpi: "integer",
        follow: "boolean",
        force: "boolean",
        from: "integer",
        "last-event-id": "integer",
        lastEventId: "integer",
        limit: "integer",
        n: "integer",
        page: "integer",
        priority: "integer",
        status: "array",
        to: "integer",
        tokens: "integer"
      })
      const names = Object.keys(record(at(json, "components", "schemas")))
      assert.includeMembers(names, ["BadRequest", "Document", "PageEvent", "TooManyRequests"])
      assert.deepStrictEqual(
        names.filter((name) => name.endsWith("Encoded")),
        []
      )
      const references = JSON.stringify(json).match(/#\/components\/schemas\/\w+/g) ?? []
      for (const reference of references) assert.include(names, reference.slice("#/components/schemas/".length))
      assert.deepNestedInclude(json, { "servers[0].url": "/" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("and descriptions of parameters say what numbers and moments mean, too", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const parameters = at(json, "paths", "/v1/documents/{id}/pages", "get", "parameters")
      assert.isArray(parameters)
      const from = Array.isArray(parameters) ? parameters.find((one) => at(one, "name") === "from") : undefined
      assert.strictEqual(at(from, "description"), "The first page; default 1.")
      assert.deepStrictEqual(at(from, "schema", "examples"), [2])
      for (const operations of Object.values(record(at(json, "paths")))) {
        for (const operation of Object.values(record(operations))) {
          const all = at(operation, "parameters")
          for (const parameter of Array.isArray(all) ? all : []) {
            const words = at(parameter, "description") ?? at(parameter, "schema", "examples")
            assert.isDefined(words, String(at(parameter, "name")))
          }
        }
      }
    }).pipe(Effect.provide(testServer))
  )
})
