import { DateTime, Effect, Option, Schema, SchemaGetter, SchemaIssue } from "effect"

/**
 * A moment in the format of RFC 3339. Without an offset it is UTC; a date alone means its first moment. Text that JavaScript
 * would read as a different moment is refused: a day that its month does not have, 24:00, a leap second.
 */

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):(\d\d))?)?$/

const form = "a date and time as RFC 3339 writes it, such as 2030-01-31T22:00:00Z"

const daysOf = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()

/** The moment, or what is wrong with the text. */
export const parseTimestamp = (text: string): DateTime.Utc | string => {
  const match = pattern.exec(text)
  if (match === null) {
    return / \d\d:\d\d$/.test(text)
      ? `Expected ${form}; in a URL the + of an offset is written as %2B`
      : `Expected ${form}`
  }
  const [, year, month, day, hour, minute, second, , sign, offsetHours, offsetMinutes] = match
  const at = (part: string | undefined) => Number(part ?? 0)
  if (at(month) < 1 || at(month) > 12) return `Expected ${form}; there is no month ${month}`
  if (at(day) < 1 || at(day) > daysOf(at(year), at(month))) {
    return `Expected ${form}; the month ${year}-${month} has no day ${day}`
  }
  if (at(hour) > 23) return `Expected ${form}; hours end at 23, and midnight is 00:00 of the next day`
  if (at(minute) > 59) return `Expected ${form}; minutes end at 59`
  if (at(second) > 59) return `Expected ${form}; seconds end at 59, leap seconds are not counted`
  if (at(offsetHours) > 23 || at(offsetMinutes) > 59) return `Expected ${form}; offsets end at 23:59`
  const clock = `${hour ?? "00"}:${minute ?? "00"}:${second ?? "00"}.${(match[7] ?? "").padEnd(3, "0").slice(0, 3)}`
  const zone = sign === undefined ? "Z" : `${sign}${offsetHours}:${offsetMinutes}`
  const moment = Option.getOrUndefined(DateTime.make(`${year}-${month}-${day}T${clock}${zone}`))
  // An offset may move the year beyond four digits, which RFC 3339 cannot express.
  if (moment === undefined || !/^\d{4}-/.test(DateTime.formatIso(moment)))
    return `Expected ${form}; years are 0000 to 9999`
  return moment
}

/** Decodes a `DateTime.Utc` of the text; encodes it with milliseconds and `Z`. */
export const Timestamp = Schema.String.pipe(
  Schema.decodeTo(Schema.DateTimeUtc, {
    decode: SchemaGetter.transformEffect((text: string) => {
      const moment = parseTimestamp(text)
      return typeof moment === "string"
        ? Effect.fail(new SchemaIssue.InvalidValue({ message: moment }))
        : Effect.succeed(moment)
    }),
    encode: SchemaGetter.transform(DateTime.formatIso)
  }),
  Schema.annotate({ format: "date-time" })
)
