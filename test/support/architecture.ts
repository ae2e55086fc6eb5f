/**
 * Which file may import which, as a pure function from sources to complaints. Paths are relative to `src`, with slashes.
 */
export type Sources = ReadonlyMap<string, string>

export interface Exemption {
  readonly file: string
  readonly text: string
  readonly reason: string
}

/** Each folder and the folders its files may import from. */
const reach: Record<string, ReadonlyArray<string>> = {
  domain: ["domain"],
  observability: ["observability", "domain"],
  services: ["services", "observability", "domain"],
  actors: ["actors", "services", "observability", "domain"],
  http: ["http", "actors", "services", "observability", "domain"],
  layers: ["layers", "http", "actors", "services", "observability", "domain"],
  client: ["client", "http", "domain"],
  "client.ts": ["client", "http", "domain"],
  cli: ["cli", "client.ts", "layers", "http", "actors", "services", "observability", "domain"]
}
const entries: ReadonlySet<string> = new Set(["main.ts", "index.ts"])

/** What `http` may know of the actors: what callers see, never how it is done. */
const isProtocol = (path: string) =>
  path === "actors/Ingestion.ts" || path === "actors/webhooks/Webhooks.ts" || path.endsWith("Protocol.ts")

const mostLines = 400
const mostFiles = 15
const forbidden: ReadonlyArray<readonly [text: string, instead: string]> = [
  ["process.env", "Config"],
  ["Date.now(", "Clock"],
  ["Math.random(", "Random or SecureRandom"]
]

const commentOrString = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const withoutComments = (source: string) => source.replace(commentOrString, (_, string?: string) => string ?? "")

const relativeImport =
  /(?:\bfrom\s*|\bimport\s*\(?\s*)"(?<imported>\.[^"]*)"|\bnew URL\(\s*"(?<located>\.[^"]*)",\s*import\.meta\.url/g

/** The files of `src` that this one imports or re-exports, statically, dynamically or as a worker. */
export const importsOf = (path: string, source: string): ReadonlyArray<string> =>
  [...withoutComments(source).matchAll(relativeImport)].map(({ groups }) => {
    const specifier = groups?.["imported"] ?? groups?.["located"] ?? ""
    const target = new URL(specifier, `file:///src/${path}`).pathname
    return target.startsWith("/src/") ? target.slice("/src/".length) : target
  })

const loaded = /^\s*(?:import|export)\s(?!type\b)[^;"]*?"([^"]+)"/gm

/** The modules of Node that are loaded with this file, each with the file that asks for it. */
export const nodeModulesOf = (sources: Sources, start: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, specifier = ""] of withoutComments(sources.get(path) ?? "").matchAll(loaded)) {
      if (specifier.startsWith(".")) visit(new URL(specifier, `file:///src/${path}`).pathname.slice("/src/".length))
      else if (/^(node:|@effect\/platform-node)/.test(specifier)) found.add(`${path} loads ${specifier}`)
    }
  }
  visit(start)
  return [...found]
}

const lines = (source: string) => source.trimEnd().split("\n").length
const folder = (path: string) => path.split("/")[0] ?? ""

const misdirected = (path: string, target: string): string | undefined => {
  if (entries.has(target)) return `${path} imports the entry file ${target}`
  if (entries.has(path)) return undefined
  const allowed = reach[folder(path)]
  if (allowed === undefined) return `${path} is in no known folder`
  if (!allowed.includes(folder(target))) return `${path} imports ${target}, against the direction of imports`
  if (folder(path) === "http" && folder(target) === "actors" && !isProtocol(target)) {
    return `${path} imports the behaviour of an actor, ${target}`
  }
  return undefined
}

/** Folders in which a reader would lose the overview. */
const crowded = (paths: Iterable<string>): ReadonlyArray<string> => {
  const sizes = new Map<string, number>()
  for (const path of paths) {
    const room = path.slice(0, Math.max(0, path.lastIndexOf("/")))
    sizes.set(room, (sizes.get(room) ?? 0) + 1)
  }
  return [...sizes].filter(([, size]) => size > mostFiles).map(([room, size]) => `${room} holds ${size} files`)
}

/** Each cycle once, from its alphabetically first file. */
const cycles = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const found = new Set<string>()
  const finished = new Set<string>()
  const visit = (path: string, trail: ReadonlyArray<string>): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      const loop = trail.slice(start)
      const first = loop.indexOf(loop.toSorted()[0] ?? path)
      const turned = [...loop.slice(first), ...loop.slice(0, first)]
      found.add([...turned, ...turned.slice(0, 1)].join(" -> "))
      return
    }
    if (finished.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    finished.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return [...found]
}

export const complaints = (sources: Sources, exemptions: ReadonlyArray<Exemption> = []): ReadonlyArray<string> => {
  const graph = new Map([...sources].map(([path, source]) => [path, importsOf(path, source)]))
  const exempt = (path: string, text: string) => exemptions.some((each) => each.file === path && each.text === text)
  return [
    ...[...graph].flatMap(([path, targets]) => targets.flatMap((target) => misdirected(path, target) ?? [])),
    ...crowded(sources.keys()),
    ...cycles(graph).map((cycle) => `import cycle: ${cycle}`),
    ...[...sources].flatMap(([path, source]) => [
      ...(lines(source) > mostLines ? [`${path} has ${lines(source)} lines, more than ${mostLines}`] : []),
      ...forbidden
        .filter(([text]) => withoutComments(source).includes(text) && !exempt(path, text))
        .map(([text, instead]) => `${path} uses ${text.replace("(", "")} instead of ${instead}`)
    ]),
    ...exemptions
      .filter((each) => !withoutComments(sources.get(each.file) ?? "").includes(each.text))
      .map((each) => `${each.file} is exempt for ${each.text}, which it does not use`)
  ]
}

export const medianLines = (sources: Sources): number => {
  const sizes = [...sources.values()].map(lines).toSorted((a, b) => a - b)
  return sizes[Math.floor(sizes.length / 2)] ?? 0
}
