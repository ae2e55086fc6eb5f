import { Result } from "effect"

/**
 * Limits of text that is passed to `JSON.parse`, which blocks the process while it runs. Nesting and many small values take most
 * of its time, so one pass counts both first and stops at the limit. The pass does not check whether the text is valid JSON.
 */
export interface JsonLimits {
  /** The nesting of objects and arrays. */
  readonly depth: number
  /** The total number of values of all kinds. */
  readonly values: number
}

/** The most characters of a number; no legitimate number has more. */
const longestNumber = 40

const quote = 0x22
const comma = 0x2c
const openArray = 0x5b
const closeArray = 0x5d
const backslash = 0x5c
const openObject = 0x7b
const closeObject = 0x7d
const numbers = /[-+.\deE]+/y

/** The index of the quote that ends the string which begins at `start`; -1 if there is none. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
  return -1
}

const valueOf = (literal: string): string | undefined => {
  if (!literal.includes("\\")) return literal.slice(1, -1)
  const parsed = Result.try((): unknown => JSON.parse(literal))
  return Result.isSuccess(parsed) && typeof parsed.success === "string" ? parsed.success : undefined
}

/** The reason why the text must not be parsed; undefined if it may be. */
export const jsonRefusal = (text: string, limits: JsonLimits): string | undefined => {
  /** The names in each open object; undefined for an open array. */
  const open: Array<Set<string> | undefined> = []
  let values = 1
  /** The next string in an object is a name. */
  let atName = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (end < 0) return undefined
        const value = valueOf(text.slice(at, end + 1))
        if (value?.isWellFormed() === false) return "has a string with half of a surrogate pair"
        const names = open.at(-1)
        if (names !== undefined && atName && value !== undefined) {
          if (names.has(value)) return `has a name twice in one object: ${value.slice(0, 64)}`
          names.add(value)
          atName = false
        }
        at = end
        break
      }
      case openArray:
      case openObject: {
        if (open.length >= limits.depth) return `is nested deeper than ${limits.depth} levels`
        const isObject = text.charCodeAt(at) === openObject
        open.push(isObject ? new Set() : undefined)
        atName = isObject
        values++
        break
      }
      case closeArray:
      case closeObject:
        open.pop()
        break
      case comma:
        atName = open.at(-1) !== undefined
        values++
        break
      default: {
        numbers.lastIndex = at
        const length = text.charCodeAt(at) > 0x39 ? 0 : (numbers.exec(text)?.[0].length ?? 0)
        if (length > longestNumber) return `has a number of more than ${longestNumber} characters`
        if (length > 0) at += length - 1
      }
    }
    if (values > limits.values) return `has more than ${limits.values} values`
  }
  return undefined
}
