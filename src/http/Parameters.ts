import { SchemaAST } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup, type OpenApi } from "effect/http-api"

/**
 * What is said of a parameter is said of its value: of the number, the moment, and so on. The description of the interface is
 * made from the texts that these are sent as, of which nothing is said, so it is brought back here.
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
        operation.parameters = operation.parameters.map((parameter) => {
          const { description, examples } = annotationsOf(endpoint, parameter) ?? {}
          return {
            ...parameter,
            ...(typeof description === "string" ? { description } : {}),
            schema: { ...parameter.schema, ...(Array.isArray(examples) ? { examples: examples.map(String) } : {}) }
          }
        })
      }
    }
  })
  return described
}

const places = { path: "params", query: "query", header: "headers" } as const

const annotationsOf = (endpoint: HttpApiEndpoint.Top, parameter: OpenApi.OpenAPISpecParameter) => {
  if (parameter.in === "cookie") return undefined
  const ast = endpoint[places[parameter.in]]?.ast
  if (ast === undefined || !SchemaAST.isObjects(ast)) return undefined
  const property = ast.propertySignatures.find(({ name }) => name === parameter.name)
  return property === undefined ? undefined : SchemaAST.resolve(property.type)
}
