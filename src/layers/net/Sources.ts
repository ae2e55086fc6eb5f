import { constants, fstat, open, read, realpath, stat, type Stats } from "node:fs"
import { basename, isAbsolute, join, relative, sep, win32 } from "node:path"
import { type Duration, Effect, Layer, Option, Result, Schema, Stream } from "effect"
import { failure } from "../../domain/Failure.ts"
import { BlobHash, type TenantId } from "../../domain/Ids.ts"
import { PrivateSources } from "../../services/config/OutboundPolicy.ts"
import { type ResolvedSource, SourceRefused, Sources, SourceUnavailable } from "../../services/Sources.ts"
import { call, closeFile } from "../blobs/Files.ts"
import { isS3Url, noSources, type S3Sources } from "../s3/S3Sources.ts"
import { makeFetch } from "./Fetch.ts"
import { makeGuardedHttp } from "./GuardedHttp.ts"
import { looksLikeUrl, nameOf, parseHttpUrl } from "../../domain/net/HttpUrl.ts"

export interface SourcesOptions {
  /** Paths are resolved below this folder. Without one, paths are refused. */
  readonly inbox: string | undefined
  /** Objects in buckets; they are refused when absent. */
  readonly s3?: S3Sources | undefined
  /** For one fetch as a whole. */
  readonly fetchTimeout: Duration.Input
  readonly connectTimeout?: Duration.Input | undefined
  readonly maxRedirects?: number | undefined
}

const maxPathLength = 4096
const chunkBytes = 256 * 1024

const isBlobHash = Schema.is(BlobHash)

const refused = (message: string) => new SourceRefused({ failure: failure("SOURCE_REFUSED", message) })
const unavailable = (message: string, retryable: boolean) =>
  new SourceUnavailable({ failure: failure("SOURCE_UNAVAILABLE", message), retryable })

/** True for anything but a relative path that stays in its folder, on any operating system. */
const isUnsafePath = (path: string) =>
  path === "" ||
  path.length > maxPathLength ||
  path.includes("\0") ||
  isAbsolute(path) ||
  win32.isAbsolute(path) ||
  path.split(/[\\/]/).includes("..")

const realPath = (path: string) => call<string>((done) => realpath(path, done))
const statPath = (path: string) => call<Stats>((done) => stat(path, done))

const isBelow = (folder: string, path: string) => {
  const inside = relative(folder, path)
  return inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}

/** A file with another name (a hard link) may lie outside of the folder and belong to others, like the target of a link. */
const hasOtherNames = ({ nlink }: Stats) => nlink > 1
const otherNames = "the file has other names (hard links), so it may belong elsewhere; copy it into the inbox folder"

const fromSystem = (error: NodeJS.ErrnoException) => {
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
      return unavailable("there is no such file in the inbox folder", false)
    case "ELOOP":
    case "ENAMETOOLONG":
      return refused("the path does not lead to a file in the inbox folder")
    case "EACCES":
    case "EPERM":
      return unavailable("the file in the inbox folder may not be read", false)
    default:
      return unavailable(`the inbox folder could not be read (${error.code ?? error.name})`, true)
  }
}

const make = Effect.fnUntraced(function* (options: SourcesOptions) {
  const http = yield* makeGuardedHttp(yield* PrivateSources)

  /** The real path, after all links, of a regular file below the inbox folder. */
  const findFile = Effect.fnUntraced(function* (path: string) {
    if (options.inbox === undefined)
      return yield* refused("paths are read only below an inbox folder, and none is configured (INBOX_DIR)")
    if (isUnsafePath(path)) return yield* refused("a path must be relative and stay below the inbox folder")
    const { inbox } = options
    const [folder, real] = yield* Effect.all([realPath(inbox), realPath(join(inbox, path))]).pipe(
      Effect.mapError(fromSystem)
    )
    if (!isBelow(folder, real)) return yield* refused("the path leads out of the inbox folder")
    const stats = yield* Effect.mapError(statPath(real), fromSystem)
    if (!stats.isFile()) return yield* refused("the path does not name a file")
    return hasOtherNames(stats) ? yield* refused(otherNames) : real
  })

  const { s3 = noSources } = options
  const fetchUrl = makeFetch(http, {
    timeout: options.fetchTimeout,
    connectTimeout: options.connectTimeout ?? "10 seconds",
    maxRedirects: options.maxRedirects ?? 5
  })

  const resolve = Effect.fn("Sources.resolve")(function* (source: string, tenant: TenantId) {
    const lower = source.toLowerCase()
    if (isBlobHash(lower)) return { _tag: "Blob", hash: lower } satisfies ResolvedSource
    if (!looksLikeUrl(source)) {
      return { _tag: "File", path: yield* findFile(source), name: basename(source) } satisfies ResolvedSource
    }
    if (isS3Url(source)) return { _tag: "Url", ...(yield* s3.resolve(source, tenant)) } satisfies ResolvedSource
    const url = parseHttpUrl(source)
    if (Result.isFailure(url)) return yield* refused(url.failure)
    return { _tag: "Url", url: url.success.href, name: nameOf(url.success) } satisfies ResolvedSource
  })

  /** The path was resolved earlier; what it names now is checked again, on the open file. */
  const openFile = Effect.fnUntraced(
    function* (path: string) {
      const gone = unavailable("the file in the inbox folder was replaced", false)
      if (options.inbox === undefined) return yield* gone
      const descriptor = yield* Effect.acquireRelease(
        call<number>((done) => open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK, done)),
        closeFile
      )
      const opened = yield* call<Stats>((done) => fstat(descriptor, done))
      const named = yield* statPath(path)
      const unmoved = (yield* realPath(path)) === path && isBelow(yield* realPath(options.inbox), path)
      const same = opened.isFile() && opened.ino === named.ino && opened.dev === named.dev
      if (hasOtherNames(opened)) return yield* unavailable(otherNames, false)
      return unmoved && same ? descriptor : yield* gone
    },
    Effect.mapError((error) => {
      if (error instanceof SourceUnavailable) return error
      const mapped = fromSystem(error)
      return mapped instanceof SourceUnavailable ? mapped : unavailable(mapped.message, false)
    })
  )

  const readChunk = Effect.fnUntraced(function* (descriptor: number) {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    const size = yield* call<number>((done) => read(descriptor, buffer, 0, chunkBytes, null, done)).pipe(
      Effect.mapError((error) => unavailable(`the file could not be read (${error.code ?? error.name})`, true))
    )
    const next = size === 0 ? Option.none<number>() : Option.some(descriptor)
    return [size === 0 ? [] : [buffer.subarray(0, size)], next] as const
  })

  return Sources.of({
    resolve,
    readFile: (path) =>
      Stream.unwrap(Effect.map(openFile(path), (descriptor) => Stream.paginate(descriptor, readChunk))),
    fetch: (url, tenant) => (isS3Url(url) ? s3.fetch(url, tenant) : fetchUrl(url))
  })
})

/** PDFs below an inbox folder, in buckets, and behind URLs of public hosts and of `PrivateSources`. */
export const layer = (options: SourcesOptions): Layer.Layer<Sources> => Layer.effect(Sources, make(options))
