import { Schema } from "effect"

/**
 * The OpenAPI document names the encoded side of a class after the class, with the suffix `Encoded`. Readers and code generators
 * never see the decoded side, so the encoded side gets the plain name, or a name that says it is JSON within a string.
 */
const plainName = (name: string, schemas: Readonly<Record<string, unknown>>): string => {
  const plain = name.replace(/Encoded$/, "")
  return plain !== name && Object.hasOwn(schemas, plain) ? `${plain}Json` : plain
}

const Json = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
  readonly paths: unknown
}

export const withPlainNames = (spec: Document): Record<string, unknown> => {
  const { schemas } = spec.components
  const renamed = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [plainName(name, schemas), schema])
  )
  const text = JSON.stringify({ ...spec, components: { ...spec.components, schemas: renamed } })
  return Schema.decodeSync(Json)(
    text.replaceAll(/"#\/components\/schemas\/(\w+)"/g, (_, name: string) => {
      return `"#/components/schemas/${plainName(name, schemas)}"`
    })
  )
}
