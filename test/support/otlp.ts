// What OTLP's protobuf messages say, as far as tests ask. Only the fields named here are looked at; the others are skipped.

export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first span of a trace. */
  readonly parentId: string
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly to: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly events: ReadonlyArray<string>
}

type Field = bigint | Uint8Array

/** The fields of one message, by number, in their order. */
const fieldsOf = (bytes: Uint8Array): ReadonlyMap<number, ReadonlyArray<Field>> => {
  const fields = new Map<number, Array<Field>>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const skip = (length: number) => {
    at += length
    return at - length
  }
  const next = (wire: number): Field => {
    if (wire === 0) return varint()
    if (wire === 1) return view.getBigUint64(skip(8), true)
    if (wire === 5) return BigInt(view.getUint32(skip(4), true))
    const length = Number(varint())
    const start = skip(length)
    return bytes.subarray(start, start + length)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >>> 3
    fields.set(number, [...(fields.get(number) ?? []), next(tag & 7)])
  }
  return fields
}

type Message = ReturnType<typeof fieldsOf>

const none = new Uint8Array()
const bytesOf = (message: Message, number: number) =>
  (message.get(number) ?? []).flatMap((field) => (typeof field === "bigint" ? [] : [field]))
const messages = (message: Message, number: number) => bytesOf(message, number).map(fieldsOf)
const first = (message: Message, number: number) => bytesOf(message, number)[0] ?? none
const text = (message: Message, number: number) => new TextDecoder().decode(first(message, number))
const hex = (message: Message, number: number) => Buffer.from(first(message, number)).toString("hex")
const integer = (message: Message, number: number): bigint => {
  const [field] = message.get(number) ?? []
  return typeof field === "bigint" ? field : 0n
}

/** `AnyValue`: a string, a boolean, an integer or a double. */
const valueOf = (value: Message): string | number | boolean => {
  if (value.has(2)) return integer(value, 2) === 1n
  if (value.has(3)) return Number(BigInt.asIntN(64, integer(value, 3)))
  if (value.has(4)) {
    const bits = new DataView(new ArrayBuffer(8))
    bits.setBigUint64(0, integer(value, 4))
    return bits.getFloat64(0)
  }
  return text(value, 1)
}

const millis = (nanos: bigint) => Number(nanos / 1_000n) / 1_000

/** The three levels that all signals share: by resource, by scope, and then the things themselves. */
const entries = (body: Uint8Array): ReadonlyArray<Message> =>
  messages(fieldsOf(body), 1).flatMap((resource) => messages(resource, 2).flatMap((scope) => messages(scope, 2)))

export const spansIn = (body: Uint8Array): ReadonlyArray<ReceivedSpan> =>
  entries(body).map((span) => ({
    name: text(span, 5),
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    from: millis(integer(span, 7)),
    to: millis(integer(span, 8)),
    attributes: Object.fromEntries(
      messages(span, 9).map((attribute) => [text(attribute, 1), valueOf(fieldsOf(first(attribute, 2)))])
    ),
    events: messages(span, 11).map((event) => text(event, 2))
  }))

/** The names of the metrics, each with its unit. */
export const metricsIn = (body: Uint8Array): ReadonlyMap<string, string> =>
  new Map(entries(body).map((metric) => [text(metric, 1), text(metric, 3)]))
