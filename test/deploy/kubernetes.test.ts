import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { complaints, type Manifest, manifestFolder, manifests, readText } from "./manifests.ts"

const Kustomization = Schema.Struct({
  resources: Schema.optionalKey(Schema.Array(Schema.String)),
  patches: Schema.optionalKey(
    Schema.Array(Schema.Union([Schema.Struct({ path: Schema.String }), Schema.Struct({ patch: Schema.String })]))
  )
})
const isKustomization = (path: string) => path.endsWith("kustomization.yaml")
const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1)
const listed = [...manifests].flatMap(([path, manifest]) => {
  if (!isKustomization(path)) return []
  const { patches = [], resources = [] } = Schema.decodeUnknownSync(Kustomization)(manifest)
  return [
    ...resources.map((file) => ({ file: `${folderOf(path)}${file}`, isPatch: false })),
    ...patches.flatMap((patch) => ("path" in patch ? [{ file: `${folderOf(path)}${patch.path}`, isPatch: true }] : []))
  ]
})
const patches = new Set(listed.filter(({ isPatch }) => isPatch).map(({ file }) => file))
const whole = new Map([...manifests].filter(([path]) => !patches.has(path)))

const get = (path: string): Manifest => {
  const found = manifests.get(path)
  if (found === undefined) throw new Error(`there is no ${path}`)
  return found
}

const Labels = Schema.Record(Schema.String, Schema.String)
const Env = Schema.Struct({ name: Schema.String, value: Schema.optionalKey(Schema.String) })
const SecretRef = Schema.Struct({ secretKeyRef: Schema.Struct({ name: Schema.String, key: Schema.String }) })
const Deployment = Schema.Struct({
  metadata: Schema.Struct({ name: Schema.String }),
  spec: Schema.Struct({
    selector: Schema.Struct({ matchLabels: Labels }),
    template: Schema.Struct({
      metadata: Schema.Struct({ labels: Labels }),
      spec: Schema.Struct({
        terminationGracePeriodSeconds: Schema.Int,
        containers: Schema.Tuple([
          Schema.Struct({
            env: Schema.Array(Schema.Struct({ ...Env.fields, valueFrom: Schema.optionalKey(Schema.Unknown) })),
            ports: Schema.Array(Schema.Struct({ name: Schema.String, containerPort: Schema.Int })),
            lifecycle: Schema.Struct({
              preStop: Schema.Struct({
                exec: Schema.Struct({ command: Schema.Tuple([Schema.Literal("sleep"), Schema.NumberFromString]) })
              })
            }),
            readinessProbe: Schema.Struct({ httpGet: Schema.Struct({ path: Schema.String }) }),
            livenessProbe: Schema.Struct({ httpGet: Schema.Struct({ path: Schema.String }) })
          })
        ]),
        volumes: Schema.Array(
          Schema.Struct({
            name: Schema.String,
            secret: Schema.optionalKey(
              Schema.Struct({ items: Schema.Array(Schema.Struct({ key: Schema.String, path: Schema.String })) })
            )
          })
        )
      })
    })
  })
})
const deployments = ["runners.yaml", "api.yaml"].map((path) => Schema.decodeUnknownSync(Deployment)(get(path)))
const { data: settings } = Schema.decodeUnknownSync(Schema.Struct({ data: Labels }))(get("config.yaml"))
const decodePolicy = Schema.decodeUnknownSync(
  Schema.Struct({
    spec: Schema.Struct({
      ingress: Schema.Tuple([Schema.Struct({ ports: Schema.Tuple([Schema.Struct({ port: Schema.Int })]) })])
    })
  })
)
const decodeBudget = Schema.decodeUnknownSync(
  Schema.Struct({ spec: Schema.Struct({ selector: Schema.Struct({ matchLabels: Labels }) }) })
)

/** What KEDA knows of a ScaledObject, as far as it is used here; anything else in it is a mistake. */
const ScaledObject = Schema.Struct({
  apiVersion: Schema.Literal("keda.sh/v1alpha1"),
  kind: Schema.Literal("ScaledObject"),
  metadata: Schema.Struct({ name: Schema.String }),
  spec: Schema.Struct({
    scaleTargetRef: Schema.Struct({ name: Schema.String }),
    minReplicaCount: Schema.Int,
    maxReplicaCount: Schema.Int,
    pollingInterval: Schema.Int,
    cooldownPeriod: Schema.Int,
    triggers: Schema.Array(
      Schema.Struct({
        type: Schema.Literal("prometheus"),
        metricType: Schema.Literal("AverageValue"),
        metadata: Schema.Struct({
          serverAddress: Schema.String,
          query: Schema.String,
          threshold: Schema.NumberFromString,
          activationThreshold: Schema.NumberFromString
        })
      })
    ),
    advanced: Schema.Struct({ horizontalPodAutoscalerConfig: Schema.Struct({ behavior: Schema.Unknown }) })
  })
})

describe("The manifests for Kubernetes", () => {
  it("are what Kubernetes' own types ask for", () => {
    assert.deepStrictEqual(complaints(whole), [])
  })

  it.each([
    ["a name that there is not", "containers", "container"],
    ["a value of another type", '"containerPort":3000', '"containerPort":"3000"'],
    ["a selector that is missing", "matchLabels", "matchLabel"]
  ])("are refused with %s", (_, text, wrong) => {
    const broken = JSON.stringify(get("runners.yaml")).replace(text, wrong)
    const object: Manifest = JSON.parse(broken)
    assert.isAbove(complaints(new Map([["runners.yaml", object]])).length, 0)
  })

  it("have no file that no kustomization names, and name none that is not there", () => {
    const files = [...manifests.keys()].filter((path) => !isKustomization(path))
    assert.deepStrictEqual(listed.map(({ file }) => file).toSorted(), files.toSorted())
  })

  it("scale by an object that KEDA knows", () => {
    const decode = Schema.decodeUnknownSync(ScaledObject, { onExcessProperty: "error" })
    const { spec } = decode(get("scaling/keda/scaledobject.yaml"))
    assert.include(
      deployments.map(({ metadata }) => metadata.name),
      spec.scaleTargetRef.name
    )
  })

  it.each(["scaling/keda/scaledobject.yaml", "scaling/hpa/autoscaler.yaml"])(
    "scale by a metric that there is, in %s",
    (path) => {
      const names = JSON.stringify(get(path)).match(/sluice_[a-z_]+/g) ?? []
      assert.isAbove(names.length, 0)
      for (const name of names) assert.include(readText("docs/telemetry.md"), `| \`${name}\` | gauge |`)
    }
  )

  it("wait longer for the end of a pod than it may take", () => {
    const grace = Duration.toSeconds(Duration.fromInputUnsafe("20 seconds"))
    assert.strictEqual(settings["SHUTDOWN_GRACE"], "20 seconds")
    for (const { spec } of deployments) {
      const [{ lifecycle }] = spec.template.spec.containers
      const [, wait] = lifecycle.preStop.exec.command
      // Requests get two seconds after the grace, and then there is the exit itself.
      assert.isAtLeast(spec.template.spec.terminationGracePeriodSeconds, wait + grace + 2 + 10)
    }
  })

  it("ask for readiness before they send requests, and restart only what does not answer", () => {
    for (const { spec } of deployments) {
      const [{ livenessProbe, readinessProbe }] = spec.template.spec.containers
      assert.deepStrictEqual(
        [readinessProbe.httpGet.path, livenessProbe.httpGet.path],
        ["/health/ready", "/health/live"]
      )
    }
  })

  it("let only pods of the cluster reach the port between them", () => {
    const port = Number(settings["CLUSTER_PORT"])
    assert.strictEqual(decodePolicy(get("network-cluster.yaml")).spec.ingress[0].ports[0].port, port)
    for (const { spec } of deployments) {
      const [{ ports }] = spec.template.spec.containers
      assert.strictEqual(ports.find(({ name }) => name === "cluster")?.containerPort, port)
    }
  })

  it("keep the pods that each of them is about", () => {
    const budgets = ["disruption-runners.yaml", "disruption-api.yaml"].map((path) => decodeBudget(get(path)))
    deployments.forEach(({ spec }, index) => {
      assert.deepStrictEqual(spec.template.metadata.labels, spec.selector.matchLabels)
      assert.deepStrictEqual(budgets[index]?.spec.selector.matchLabels, spec.selector.matchLabels)
    })
  })

  it("take secrets that the page about them makes, and mount those that settings name", () => {
    const page = readText("docs/deploy-cluster.md")
    for (const { spec } of deployments) {
      const [{ env }] = spec.template.spec.containers
      const items = spec.template.spec.volumes.flatMap(({ secret }) => secret?.items ?? [])
      const keys = [
        ...env.flatMap(({ valueFrom }) => (Schema.is(SecretRef)(valueFrom) ? [valueFrom.secretKeyRef.key] : [])),
        ...items.map(({ key }) => key)
      ]
      assert.isAbove(keys.length, 5)
      for (const key of keys) assert.match(page, new RegExp(`--from-(literal|file)="?${key}=`))
      const mounted = new Set(items.map(({ path }) => `/run/secrets/sluice/${path}`))
      const named = Object.entries(settings).filter(([name]) => name.endsWith("_FILE"))
      assert.deepStrictEqual(
        named.filter(([, path]) => !mounted.has(path)),
        []
      )
    }
  })

  const { status } = spawnSync("kubectl", ["version", "--client"], { stdio: "ignore" })
  it.skipIf(status !== 0)("are put together by kustomize", () => {
    const built = spawnSync("kubectl", ["kustomize", manifestFolder], { encoding: "utf8" })
    assert.strictEqual(built.stderr, "")
    assert.strictEqual(built.stdout.match(/^kind: Deployment$/gm)?.length, 2)
  })
})
