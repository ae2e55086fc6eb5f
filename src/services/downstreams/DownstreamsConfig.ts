import { Context } from "effect"
import type { DownstreamsRecord } from "./DownstreamSettings.ts"

/** The declared downstreams, decoded; none unless a layer provides them. They hold the names of secrets, never secrets. */
export const DownstreamsConfig = Context.Reference<DownstreamsRecord>("sluice/services/downstreams/DownstreamsConfig", {
  defaultValue: () => ({})
})
