/** A ratio over several rounds, and what it is to reach. All are greater than 0: the axis is logarithmic. */
export interface Bar {
  readonly label: string
  readonly least: number
  readonly median: number
  readonly most: number
  readonly target: number
}

const [width, rowHeight] = [720, 30]
const area = { left: 290, right: 640, top: 56 } as const
/** Readable on white and on black. */
const [blue, orange, grey] = ["#2f81f7", "#d29922", "#7d8590"] as const

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const label = (x: number, y: number, content: string, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${grey}" ${more}>${escape(content)}</text>`

const allTicks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

/** Bars that begin at 1, with their spread and their targets, as an SVG that needs no style sheet and has no background. */
export const barPlot = (title: string, bars: ReadonlyArray<Bar>): string => {
  const values = bars.flatMap(({ least, most, target }) => [least, most, target])
  const from = allTicks.findLast((tick) => tick <= Math.min(0.5, ...values)) ?? 0.1
  const to = allTicks.find((tick) => tick >= Math.max(2, ...values)) ?? 100
  const xOf = (value: number) => area.left + (Math.log(value / from) / Math.log(to / from)) * (area.right - area.left)
  const bottom = area.top + bars.length * rowHeight
  const vertical = (x: number, top: number, end: number, stroke: string) =>
    `<path d="M${x.toFixed(1)} ${top.toFixed(1)}V${end.toFixed(1)}" ${stroke}/>`
  const ticks = allTicks
    .filter((tick) => tick >= from && tick <= to)
    .flatMap((tick) => [
      vertical(xOf(tick), area.top, bottom, `stroke="${grey}" stroke-opacity="${tick === 1 ? 0.9 : 0.3}"`),
      label(xOf(tick), bottom + 18, String(tick), 'text-anchor="middle"')
    ])
  const rows = bars.flatMap(({ label: name, least, median, most, target }, index) => {
    const middle = area.top + (index + 0.5) * rowHeight
    const [left, right] = [xOf(Math.min(1, median)), xOf(Math.max(1, median))]
    return [
      label(area.left - 10, middle + 4, name, 'text-anchor="end"'),
      `<rect x="${left.toFixed(1)}" y="${(middle - 7).toFixed(1)}" width="${(right - left).toFixed(1)}" height="14" ` +
        `fill="${blue}" fill-opacity="0.55"/>`,
      `<path d="M${xOf(least).toFixed(1)} ${middle}H${xOf(most).toFixed(1)}" stroke="${blue}" stroke-width="2.5"/>`,
      vertical(xOf(median), middle - 9, middle + 9, `stroke="${blue}" stroke-width="2.5"`),
      vertical(xOf(target), middle - 12, middle + 12, `stroke="${orange}" stroke-width="2" stroke-dasharray="3 2"`),
      label(area.right + 10, middle + 4, `${median.toFixed(2)} ×`)
    ]
  })
  const key = bottom + 40
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${key + 14}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    label(20, 28, title, 'font-size="15"'),
    ...ticks,
    ...rows,
    vertical(area.left, key - 14, key + 4, `stroke="${orange}" stroke-width="2" stroke-dasharray="3 2"`),
    label(area.left + 10, key, "target"),
    `<path d="M${area.left + 80} ${key - 4}h30" stroke="${blue}" stroke-width="2.5"/>`,
    label(area.left + 118, key, "least to most of the rounds; the bar ends at the median"),
    "</svg>\n"
  ].join("\n")
}
