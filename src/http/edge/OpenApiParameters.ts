import { Schema, SchemaAST } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup, type OpenApi } from "effect/http-api"

/**
 * OpenAPI is generated from the encoded side of schemas, and every parameter is encoded as a string: a number would appear as a
 * string with a pattern and without its annotations. So types, descriptions and examples of parameters are copied from the
 * decoded side.
 */
export const describeParameters = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  paths: OpenApi.OpenAPISpecPaths
): OpenApi.OpenAPISpecPaths => {
  const described = structuredClone(paths)
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      const operations = described[endpoint.path.replace(/:(\w+)/g, "{$1}")] ?? {}
      for (const [method, operation] of Object.entries(operations)) {
        if (method.toUpperCase() !== endpoint.method || !("parameters" in operation)) continue
        operation.parameters = operation.parameters.map((parameter) => describe(endpoint, parameter))
      }
    }
  })
  return described
}

/** JSON types other than string. For strings, the encoded side has more detail. */
const ownTypes: ReadonlySet<unknown> = new Set(["integer", "number", "boolean", "array"])

const describe = (endpoint: HttpApiEndpoint.Top, parameter: OpenApi.OpenAPISpecParameter) => {
  const type = typeOf(endpoint, parameter)
  if (type === undefined) return parameter
  const { description, examples, format } = SchemaAST.resolve(type) ?? {}
  const decoded = Schema.toJsonSchemaDocument(Schema.make(SchemaAST.toType(type))).schema
  const isOwn = ownTypes.has(decoded["type"])
  const shown = Array.isArray(examples) ? { examples: isOwn ? examples : examples.map(String) } : {}
  return {
    ...parameter,
    ...(typeof description === "string" ? { description } : {}),
    // A list is one parameter, separated by commas.
    ...(decoded["type"] === "array" ? { style: "form", explode: false } : {}),
    schema: { ...(isOwn ? decoded : parameter.schema), ...(typeof format === "string" ? { format } : {}), ...shown }
  }
}

const places = { path: "params", query: "query", header: "headers" } as const

const typeOf = (endpoint: HttpApiEndpoint.Top, parameter: OpenApi.OpenAPISpecParameter): SchemaAST.AST | undefined => {
  if (parameter.in === "cookie") return undefined
  const ast = endpoint[places[parameter.in]]?.ast
  if (ast === undefined || !SchemaAST.isObjects(ast)) return undefined
  return ast.propertySignatures.find(({ name }) => name === parameter.name)?.type
}
