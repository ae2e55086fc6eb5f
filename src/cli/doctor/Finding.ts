import { Schema } from "effect"

/** The result of one check: fine, a warning, or an obstacle for a server. */
export const Finding = Schema.Struct({
  name: Schema.String,
  state: Schema.Literals(["ok", "warn", "fail"]),
  detail: Schema.String,
  /** How to fix it. */
  advice: Schema.optionalKey(Schema.String)
})
export type Finding = typeof Finding.Type

export const ok = (name: string, detail: string): Finding => ({ name, state: "ok", detail })
export const warn = (name: string, detail: string, advice: string): Finding => ({ name, state: "warn", detail, advice })
export const fail = (name: string, detail: string, advice: string): Finding => ({ name, state: "fail", detail, advice })
