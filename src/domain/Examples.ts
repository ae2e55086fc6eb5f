import type { Schema } from "effect"

/**
 * Adds examples to a schema, as they are sent. (`Schema.annotateEncoded` would do the same, but makes a new schema of everything
 * within, and then the description of the interface has what has a name twice.) Of a transformation, only the decoded side
 * would have them: there it has to be `Schema.annotateEncoded`.
 */
export const examples =
  <S extends Schema.Top>(...sent: ReadonlyArray<S["Encoded"]>) =>
  (self: S): S["Rebuild"] => {
    const annotations: Schema.Annotations.Annotations = { examples: sent }
    return self.annotate(annotations)
  }
