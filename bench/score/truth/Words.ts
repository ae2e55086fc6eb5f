// Texts that mean little, and are always the same.
const subjects = [
  "The pilot",
  "A small ship",
  "Every crew",
  "The old crane",
  "Our office",
  "The wind from the north",
  "One of the captains"
]
const verbs = ["carries", "awaits", "measures", "crosses", "reports", "remembers", "has often repaired"]
const objects = [
  "the outer basin at high water",
  "boxes of dried fruit for the market",
  "a rope that is longer than the quay",
  "what the tables of the year foretell",
  "the lamps along the eastern mole",
  "letters from three different towns"
]
const ends = [
  "before the fog lifts",
  "with great patience",
  "and returns in the evening",
  "as the rules demand",
  "without any delay"
]

const pick = (words: ReadonlyArray<string>, n: number): string => words[n % words.length] ?? ""

export const sentences = (count: number, seed: number): string =>
  Array.from({ length: count }, (_, index) => {
    const n = seed * 13 + index * 7
    return `${pick(subjects, n)} ${pick(verbs, n + seed)} ${pick(objects, n + index)} ${pick(ends, n + 2 * index)}.`
  }).join(" ")

const letters = "אבגדהוזחטיכלמנסעפצקרשת"

export const hebrew = (words: number, seed: number): string =>
  Array.from({ length: words }, (_, index) => {
    const length = 2 + ((seed * 5 + index * 3) % 5)
    return Array.from({ length }, (_, at) => letters[(seed * 7 + index * 11 + at * 5) % letters.length] ?? "").join("")
  }).join(" ")

const clauses = [
  "船只每天清晨进入港口",
  "工人把货物送到仓库",
  "天气影响航行的时间",
  "报告列出各月的数量",
  "灯塔在夜里指引方向",
  "管理部门检查所有记录"
]

export const chinese = (count: number, seed: number): string =>
  Array.from(
    { length: count },
    (_, index) => `${pick(clauses, seed + index)}，${pick(clauses, seed * 2 + index + 1)}。`
  ).join("")
