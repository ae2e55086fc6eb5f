import { Schema } from "effect"

/** What one check found: fine, worth a look, or in the way of a server. */
export const Finding = Schema.Struct({
  name: Schema.String,
  state: Schema.Literals(["ok", "warn", "fail"]),
  detail: Schema.String,
  /** What to do about it. */
  advice: Schema.optionalKey(Schema.String)
})
export type Finding = typeof Finding.Type

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail })
export const warn = (name: string, detail: string, advice: string): Finding => ({ name, state: "warn", detail, advice })
export const fail = (name: string, detail: string, advice: string): Finding => ({ name, state: "fail", detail, advice })
