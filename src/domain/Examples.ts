import type { Schema } from "effect"

/**
 * Adds examples in their encoded form to a schema. (`Schema.annotateEncoded` would do the same, but copies all nested schemas, so
 * OpenAPI would contain each named schema twice.) On a transformation only the decoded side would get the examples: use
 * `Schema.annotateEncoded` there.
 */
export const examples =
  <S extends Schema.Top>(...sent: ReadonlyArray<S["Encoded"]>) =>
  (self: S): S["Rebuild"] => {
    const annotations: Schema.Annotations.Annotations = { examples: sent }
    return self.annotate(annotations)
  }
