/**
 * Decorators of a service's methods, by their names. Each gets the call itself, which `decorate` makes with all the arguments
 * that the caller gave, and then those arguments, to read. So a decorator cannot drop an argument, nor miss one that is added
 * to the method later.
 */
export type Around<Service> = {
  readonly [Name in keyof Service]?: Service[Name] extends (...args: infer Args) => infer Answer
    ? (call: Answer, ...args: Args) => Answer
    : never
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

const isMethod = (value: unknown): value is Method => typeof value === "function"

/** The service with these methods decorated and the others unchanged. Calls are effects and streams, so nothing runs early. */
export const decorate = <Service extends object>(service: Service, around: Around<NoInfer<Service>>): Service => {
  const own = new Map(Object.entries(service))
  const decorated: Record<string, Method> = {}
  for (const [name, wrap] of Object.entries(around)) {
    const method: unknown = own.get(name)
    if (!isMethod(method) || !isMethod(wrap)) throw new TypeError(`there is no method ${name} to decorate`)
    decorated[name] = (...args) => wrap(method(...args), ...args)
  }
  return { ...service, ...decorated }
}
