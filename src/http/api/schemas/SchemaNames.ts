import { Schema } from "effect"

/**
 * What a class is encoded as gets the name of the class with `Encoded` behind it in the OpenAPI document. Readers of the document, and
 * programs that make types of it, know nothing of the decoded side: it gets the plain name, or one that tells that it is JSON in a text.
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
