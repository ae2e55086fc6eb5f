// Requests to the interface. What goes wrong is a Problem with the server's own code and advice.
import { identityHeaders, isRefused, refuseIdentity } from "./identity.js"

/** Addresses are relative to the page, which a proxy may have put below some path. @type {(path: string) => string} */
export const urlOf = (path) => new URL(path, document.baseURI).href

export class Problem extends Error {
  /** @param {{ status: number, code: string, detail: string, advice?: string | undefined, retryAfter?: number | undefined, documents?: ReadonlyArray<import("./types.d.ts").Outcome> | undefined }} fields */
  constructor({ advice, code, detail, documents, retryAfter, status }) {
    super(detail)
    this.status = status
    this.code = code
    this.advice = advice
    this.retryAfter = retryAfter
    this.documents = documents
  }
}

/** @type {(status: number, text: string) => Problem} */
export const problemOf = (status, text) => {
  try {
    const body = JSON.parse(text)
    return new Problem({
      ...body,
      status,
      detail: body.detail ?? body.title ?? `status ${status}`,
      code: body.code ?? "REFUSED"
    })
  } catch {
    return new Problem({ status, code: `HTTP_${status}`, detail: `the server answered with status ${status}` })
  }
}

export const unreachable = () =>
  new Problem({ status: 0, code: "UNREACHABLE", detail: "the server does not answer", advice: "Check that it runs." })

/** Asks for a key where one is missing or wrong, or is another tenant's. @param {Problem} problem */
export const noticeProblem = ({ code, message, status }) => {
  if (status === 401) refuseIdentity(code === "AUTH_REQUIRED" ? undefined : message)
  if (code === "TENANT_MISMATCH") refuseIdentity(message)
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown, headers?: Record<string, string>, signal?: AbortSignal | undefined, query?: Record<string, string | number | undefined> }} [options]
 */
const send = async (method, path, { body, headers, query, signal } = {}) => {
  if (isRefused()) throw new Problem({ status: 401, code: "AUTH_REQUIRED", detail: "the server asks for a key" })
  const url = new URL(urlOf(path))
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value))
  }
  /** @type {Response} */
  let response
  try {
    response = await fetch(url, {
      method,
      headers: {
        ...identityHeaders(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers
      },
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal })
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw unreachable()
  }
  if (response.ok) return response
  const problem = problemOf(response.status, await response.text())
  noticeProblem(problem)
  throw problem
}

/** @typedef {NonNullable<Parameters<typeof send>[2]>} Options */

/** @template T @param {string} method @param {string} path @param {Options} [options] @returns {Promise<T>} */
const json = async (method, path, options) => {
  const response = await send(method, path, options)
  // The answer is what its type says, which only the caller knows.
  return response.status === 204 ? /** @type {any} */ (undefined) : response.json()
}

export const api = {
  /** @type {(query: { status?: string, cursor?: string | undefined, limit?: number }, signal?: AbortSignal) => Promise<import("./types.d.ts").Documents>} */
  documents: (query, signal) => json("GET", "v1/documents", { query, signal }),
  /** @type {(id: string, signal?: AbortSignal) => Promise<import("./types.d.ts").Document>} */
  document: (id, signal) => json("GET", `v1/documents/${encodeURIComponent(id)}`, { signal }),
  /** Without their texts. @type {(id: string, from: number, signal?: AbortSignal) => Promise<import("./types.d.ts").PageSummaries>} */
  pages: (id, from, signal) =>
    json("GET", `v1/documents/${id}/pages`, { query: { detail: "summary", from, limit: 500 }, signal }),
  /** @type {(id: string, page: number, signal?: AbortSignal) => Promise<import("./types.d.ts").Page>} */
  page: (id, page, signal) => json("GET", `v1/documents/${id}/pages/${page}`, { query: { detail: "lines" }, signal }),
  /** With a mark where something is missing. @type {(id: string) => Promise<Blob>} */
  text: async (id) => (await send("GET", `v1/documents/${id}/text`, { query: { mark: "missing" } })).blob(),
  /** What stages made of a page; 0 is the document as a whole. @type {(id: string, page: number, signal?: AbortSignal) => Promise<import("./types.d.ts").Artifacts>} */
  artifacts: (id, page, signal) => json("GET", `v1/documents/${id}/artifacts`, { query: { page, limit: 100 }, signal }),
  /** Bytes, and the name that the server gives them. @type {(path: string, signal?: AbortSignal) => Promise<{ blob: Blob, name: string | undefined }>} */
  content: async (path, signal) => {
    const response = await send("GET", path.replace(/^\//, ""), { signal })
    const [, name] = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "") ?? []
    return { blob: await response.blob(), name }
  },
  /** A page as it looks. @type {(id: string, page: number, signal?: AbortSignal) => Promise<Blob>} */
  image: async (id, page, signal) =>
    (
      await send("GET", `v1/documents/${id}/pages/${page}/image`, { query: { dpi: 110, format: "webp" }, signal })
    ).blob(),
  /** Removes a document that has ended. @type {(id: string) => Promise<unknown>} */
  remove: (id) => json("DELETE", `v1/documents/${id}`),
  /** Leaves a document alone that has ended by now. @type {(id: string) => Promise<import("./types.d.ts").Document>} */
  cancel: (id) => json("POST", `v1/documents/${id}/cancel`),
  /** @type {(id: string, password: string) => Promise<import("./types.d.ts").Document>} */
  retry: (id, password) => json("POST", `v1/documents/${id}/retry`, password === "" ? {} : { body: { password } }),
  /** @type {(scope?: "all") => Promise<import("./types.d.ts").Queue>} */
  queue: (scope) => json("GET", "queue/status", { query: { scope } }),
  /** @type {(signal?: AbortSignal) => Promise<import("./types.d.ts").Tenant>} */
  tenant: (signal) => json("GET", "v1/tenant", { signal }),
  /** @type {(signal?: AbortSignal) => Promise<import("./types.d.ts").Tenants>} */
  tenants: (signal) => json("GET", "v1/tenants", { query: { detail: "state", limit: 200 }, signal }),
  /** @type {(tenant: string, change: Record<string, unknown>) => Promise<import("./types.d.ts").Tenant>} */
  changeTenant: (tenant, change) => json("PATCH", `v1/tenants/${tenant}`, { body: change }),
  /** @type {(signal?: AbortSignal) => Promise<import("./types.d.ts").Downstreams>} */
  downstreams: (signal) => json("GET", "v1/downstreams", { signal }),
  /** @type {(name: string, change: Record<string, unknown>) => Promise<import("./types.d.ts").Downstream>} */
  changeDownstream: (name, change) => json("PATCH", `v1/downstreams/${name}`, { body: change }),
  /** @type {(signal?: AbortSignal) => Promise<import("./types.d.ts").Workers>} */
  workers: (signal) => json("GET", "v1/workers", { signal }),
  /** @type {(signal?: AbortSignal) => Promise<import("./types.d.ts").Runners>} */
  runners: (signal) => json("GET", "v1/runners", { signal })
}
