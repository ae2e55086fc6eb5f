export interface Series {
  readonly name: string
  /** Both greater than 0: the axes are logarithmic. */
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

interface Plot {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly series: ReadonlyArray<Series>
}

const [width, height] = [720, 400]
const area = { left: 70, right: 500, top: 50, bottom: 340 } as const
/** Readable on white and on black; told apart by their dashes, too. */
const strokes = [
  ["#2f81f7", ""],
  ["#d29922", "8 4"],
  ["#a371f7", "2 4"],
  ["#e5534b", "10 3 2 3"]
] as const
const grey = "#7d8590"

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const label = (x: number, y: number, content: string, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${grey}" ${more}>${escape(content)}</text>`
const number = (value: number) => (value < 1 ? String(value) : value.toLocaleString("en"))

/** Powers of ten around the values, and where a value lies between them, from 0 to 1. */
const axisOf = (values: ReadonlyArray<number>) => {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
    at: (value: number) => (Math.log10(value) - from) / (to - from)
  }
}

/** Lines over logarithmic axes, as an SVG that needs no style sheet and has no background. */
export const plot = ({ series, title, x, y }: Plot): string => {
  const [xAxis, yAxis] = [0, 1].map((index) =>
    axisOf(series.flatMap(({ points }) => points.map((point) => point[index] ?? 1)))
  )
  const xOf = (value: number) => area.left + (xAxis?.at(value) ?? 0) * (area.right - area.left)
  const yOf = (value: number) => area.bottom - (yAxis?.at(value) ?? 0) * (area.bottom - area.top)
  const line = (x1: number, y1: number, x2: number, y2: number) =>
    `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="${grey}" stroke-opacity="0.35"/>`
  const xTicks = (xAxis?.ticks ?? []).flatMap((tick) => [
    line(xOf(tick), area.top, xOf(tick), area.bottom),
    label(xOf(tick), area.bottom + 18, number(tick), 'text-anchor="middle"')
  ])
  const yTicks = (yAxis?.ticks ?? []).flatMap((tick) => [
    line(area.left, yOf(tick), area.right, yOf(tick)),
    label(area.left - 8, yOf(tick) + 4, number(tick), 'text-anchor="end"')
  ])
  const lines = series.flatMap(({ name, points }, index) => {
    const [colour, dashes] = strokes[index % strokes.length] ?? [grey, ""]
    const path = points.map(([a, b]) => `${xOf(a).toFixed(1)} ${yOf(b).toFixed(1)}`).join("L")
    const key = area.top + 20 + index * 24
    const stroke = `fill="none" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dashes}"`
    return [
      `<path d="M${path}" ${stroke}/>`,
      `<path d="M${area.right + 20} ${key}h30" ${stroke}/>`,
      label(area.right + 58, key + 4, name)
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    label(area.left, 28, title, 'font-size="15"'),
    ...xTicks,
    ...yTicks,
    label((area.left + area.right) / 2, area.bottom + 42, x, 'text-anchor="middle"'),
    label(area.left, area.top - 8, y, 'text-anchor="middle"'),
    ...lines,
    "</svg>\n"
  ].join("\n")
}
