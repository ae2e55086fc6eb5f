/**
 * Dates of HTTP headers (RFC 9110, 5.6.7): the form that is sent today, and the two obsolete ones that are to be understood.
 * `Date.parse` understands many more, each program in its own way and some of them in the local time zone.
 */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const month = `(?<month>${months.join("|")})`
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`

const forms = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT`,
  // Sunday, 06-Nov-94 08:49:37 GMT
  String.raw`(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT`,
  // Sun Nov  6 08:49:37 1994
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} (?<day>\d\d| \d) ${time} (?<year>\d{4})`
].map((form) => new RegExp(`^${form}$`))

/** A year of two digits is never more than 50 years ahead. */
const fullYear = (year: string, now: number): number => {
  if (year.length === 4) return Number(year)
  const present = new Date(now).getUTCFullYear()
  const inCentury = present - (present % 100) + Number(year)
  return inCentury > present + 50 ? inCentury - 100 : inCentury
}

/** Milliseconds since the epoch; undefined if the text is not a date as HTTP writes it, or one that does not exist. */
export const parseHttpDate = (text: string, now: number): number | undefined => {
  for (const form of forms) {
    const parts = form.exec(text)?.groups
    if (parts === undefined) continue
    const { day = "", hour, minute, month = "", second, year = "" } = parts
    // The 60th second is a leap second, which JavaScript counts as the first of the next minute.
    if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
    const date = new Date(0)
    date.setUTCFullYear(fullYear(year, now), months.indexOf(month), Number(day))
    if (date.getUTCDate() !== Number(day)) return undefined
    return date.setUTCHours(Number(hour), Number(minute), Number(second))
  }
  return undefined
}

/** The wait that a `Retry-After` header asks for, as seconds or as a date. Undefined if it has another form. */
export const retryAfterMillis = (header: string | undefined, now: number): number | undefined => {
  const text = header?.trim() ?? ""
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const at = parseHttpDate(text, now)
  return at === undefined ? undefined : Math.max(0, at - now)
}
