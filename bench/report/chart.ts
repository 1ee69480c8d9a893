/** The charts, as SVG written by hand: bars on a logarithmic scale, and where the time of a call goes. */
import { CALL_GROUPS, GROUPS, type Group, type Report, type Result, type Side, type StageBar } from '../model.js'
import { SIDE_NAMES } from '../peers/measures.js'
import { formatMicroseconds, formatValue } from './format.js'

const WIDTH = 960
const LEFT = 242
const RIGHT = 90
const BAR = 15
const STEP = 20
const TITLE = 34
const FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"

const COLOURS: Readonly<Record<Side, string>> = {
  zugbruecke: '#1f6feb',
  c: '#8c959f',
  koffi: '#bf8700',
  ctypes: '#1a7f37',
  python: '#cf222e',
  'python-pinned': '#fa7a82',
  win64: '#80b3ff',
}

const STAGE_COLOURS: Readonly<Record<string, string>> = {
  encode: '#1f6feb',
  call: '#1a7f37',
  decode: '#54aeff',
  channel: '#bf8700',
  wait: '#cf222e',
  await: '#8250df',
}

const DRAWN: readonly Group[] = [...CALL_GROUPS, 'crash', 'start']

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function text(x: number, y: number, content: string, rest = ''): string {
  return `<text x='${x.toFixed(1)}' y='${y.toFixed(1)}' ${rest}>${escaped(content)}</text>`
}

function svg(height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' width='${WIDTH}' height='${height}' viewBox='0 0 ${WIDTH} ${height}' ${FONT} font-size='12' fill='#1f2328' role='img'>`,
    `<title>${escaped(title)}</title>`,
    `<rect width='${WIDTH}' height='${height}' rx='8' fill='#ffffff'/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function footer(report: Report): string {
  const { cpu, cores, system } = report.machine
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`)
  return [report.date.slice(0, 10), `${cpu}, ${cores} cores`, system, ...versions, report.quick ? 'quick run' : '']
    .filter(Boolean)
    .join(' · ')
}

/** Text broken between its parts, so that it fits. */
function lines(content: string, most: number): string[] {
  const out: string[] = []
  for (const part of content.split(' · ')) {
    const last = out.at(-1)
    if (last !== undefined && `${last} · ${part}`.length <= most) out[out.length - 1] = `${last} · ${part}`
    else out.push(part)
  }
  return out
}

function legend(entries: readonly (readonly [string, string])[], y: number): string[] {
  let x = 24
  return entries.flatMap(([name, colour]) => {
    const parts = [
      `<rect x='${x}' y='${y - 10}' width='11' height='11' rx='2' fill='${colour}'/>`,
      text(x + 16, y, name, "fill='#57606a'"),
    ]
    x += 34 + name.length * 6.6
    return parts
  })
}

export function callsChart(report: Report): string | undefined {
  const drawn = report.results.filter(({ group, unit, value }) => DRAWN.includes(group) && unit === 'us' && value > 0)
  if (drawn.length === 0) return undefined
  const low = 10 ** Math.floor(Math.log10(Math.min(...drawn.map(({ value }) => value))))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...drawn.map(({ value }) => value))))
  const x = (value: number) => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log10(value / low)) / Math.log10(high / low)
  const sides = (Object.keys(COLOURS) as Side[]).filter(side => drawn.some(result => result.side === side))
  const groups = DRAWN.map(group => [group, drawn.filter(result => result.group === group)] as const).filter(
    ([, list]) => list.length > 0,
  )

  const parts: string[] = [
    text(24, 34, 'Time of one call', "font-size='18' font-weight='600'"),
    text(24, 54, 'logarithmic scale, shorter is better', "fill='#57606a'"),
    ...legend(
      sides.map(side => [SIDE_NAMES[side], COLOURS[side]] as const),
      78,
    ),
  ]
  const top = 92
  let y = top
  const bars: string[] = []
  for (const [group, list] of groups) {
    y += TITLE
    bars.push(text(24, y - 8, GROUPS[group], "font-weight='600'"))
    for (const result of [...list].sort((a, b) => a.value - b.value)) {
      bars.push(...bar(result, x, low, y))
      y += STEP
    }
  }
  const bottom = y + 6
  const grid: string[] = []
  for (let value = low; value <= high * 1.001; value *= 10) {
    const at = x(value).toFixed(1)
    grid.push(`<line x1='${at}' x2='${at}' y1='${top + 8}' y2='${bottom}' stroke='#d0d7de' stroke-width='1'/>`)
    const label =
      value >= 1e6
        ? `${value / 1e6} s`
        : value >= 1000
          ? `${value / 1000} ms`
          : value >= 1
            ? `${value} µs`
            : `${Number((value * 1000).toPrecision(1))} ns`
    grid.push(text(x(value), bottom + 16, label, "text-anchor='middle' fill='#57606a' font-size='11'"))
  }
  const foot = lines(footer(report), 150).map((line, i) =>
    text(24, bottom + 42 + 15 * i, line, "fill='#57606a' font-size='11'"),
  )
  return svg(bottom + 40 + 15 * foot.length + 6, 'Time of one call, by side and kind', [
    ...parts,
    ...grid,
    ...bars,
    ...foot,
  ])
}

function bar(result: Result, x: (value: number) => number, low: number, y: number): string[] {
  const end = x(result.value)
  const ours = result.side === 'zugbruecke'
  const label = ours ? `zugbruecke, ${result.label}` : result.label
  return [
    text(LEFT - 8, y + 12, label, `text-anchor='end' ${ours ? "font-weight='600'" : "fill='#57606a'"}`),
    `<rect x='${x(low).toFixed(1)}' y='${y}' width='${Math.max(2, end - x(low)).toFixed(1)}' height='${BAR}' rx='2' fill='${COLOURS[result.side]}'/>`,
    text(
      end + 6,
      y + 12,
      formatValue(result.value, result.unit),
      "stroke='#ffffff' stroke-width='3' paint-order='stroke'",
    ),
  ]
}

/** One bar for each way of calling, cut where its time goes; each bar has a scale of its own, for they differ a hundredfold. */
export function stagesChart(report: Report): string | undefined {
  const bars = report.stages ?? []
  if (bars.length === 0) return undefined
  const stages = Object.keys(STAGE_COLOURS).filter(stage =>
    bars.some(({ parts }) => parts.some(part => part.stage === stage)),
  )
  const parts = [
    text(24, 34, 'Where the time of a call goes', "font-size='18' font-weight='600'"),
    text(24, 54, 'two ints in, one out; each bar is the whole of its own call', "fill='#57606a'"),
    ...legend(
      stages.map(stage => [stage, STAGE_COLOURS[stage]] as const),
      78,
    ),
  ]
  let y = 100
  for (const one of bars) {
    parts.push(...stageBar(one, stages, y))
    y += 58
  }
  const foot = lines(footer(report), 150).map((line, i) =>
    text(24, y + 14 + 15 * i, line, "fill='#57606a' font-size='11'"),
  )
  return svg(y + 14 + 15 * foot.length + 6, 'Where the time of a call goes', [...parts, ...foot])
}

function stageBar({ label, parts }: StageBar, stages: readonly string[], y: number): string[] {
  const total = parts.reduce((sum, { us }) => sum + us, 0)
  const room = WIDTH - 150 - RIGHT
  const out = [
    text(142, y + 16, label, "text-anchor='end' font-weight='600'"),
    text(158 + room, y + 16, formatMicroseconds(total)),
  ]
  let x = 150
  const notes: string[] = []
  for (const stage of stages) {
    const part = parts.find(one => one.stage === stage)
    if (!part || part.us <= 0) continue
    const width = (part.us / total) * room
    out.push(
      `<rect x='${x.toFixed(1)}' y='${y}' width='${Math.max(1, width).toFixed(1)}' height='24' fill='${STAGE_COLOURS[stage]}'><title>${stage} ${formatMicroseconds(part.us)}</title></rect>`,
    )
    notes.push(`${stage} ${formatMicroseconds(part.us)}`)
    x += width
  }
  out.push(text(150, y + 40, notes.join(' · '), "fill='#57606a' font-size='11'"))
  return out
}

/** Calls a second against the number of sessions, both axes logarithmic. */
export function curveChart(report: Report): string | undefined {
  const series = [
    { name: 'jobs', colour: COLOURS.zugbruecke, prefix: 'curve-job-' },
    { name: 'awaited', colour: '#54aeff', prefix: 'curve-awaited-' },
    { name: SIDE_NAMES.python, colour: COLOURS.python, prefix: 'curve-python-' },
  ].map(one => ({
    ...one,
    points: report.results
      .filter(({ id, side }) => id.startsWith(one.prefix) && side !== 'win64')
      .map(({ id, value }) => ({ sessions: Number(id.slice(one.prefix.length)), value })),
  }))
  const points = series.flatMap(one => one.points)
  if (points.length === 0) return undefined
  const [top, bottom, left, right] = [100, 380, 90, WIDTH - 130]
  const most = Math.max(2, ...points.map(({ sessions }) => sessions))
  const low = 10 ** Math.floor(Math.log10(Math.min(...points.map(({ value }) => value))))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...points.map(({ value }) => value))))
  const x = (sessions: number) => left + 40 + ((right - left - 80) * Math.log2(sessions)) / Math.log2(most)
  const y = (value: number) => bottom - ((bottom - top) * Math.log10(value / low)) / Math.log10(high / low)
  const parts = [
    text(24, 34, 'Calls a second over several sessions', "font-size='18' font-weight='600'"),
    text(
      24,
      54,
      `${report.machine.cores} cores; one caller per session; logarithmic scales, higher is better`,
      "fill='#57606a'",
    ),
    ...legend(
      series.filter(one => one.points.length > 0).map(({ name, colour }) => [name, colour] as const),
      78,
    ),
  ]
  for (let value = low; value <= high * 1.001; value *= 10) {
    parts.push(
      `<line x1='${left}' x2='${right}' y1='${y(value).toFixed(1)}' y2='${y(value).toFixed(1)}' stroke='#d0d7de'/>`,
    )
    parts.push(
      text(left - 8, y(value) + 4, value.toLocaleString('en'), "text-anchor='end' fill='#57606a' font-size='11'"),
    )
  }
  for (const sessions of new Set(points.map(point => point.sessions))) {
    parts.push(text(x(sessions), bottom + 18, String(sessions), "text-anchor='middle' fill='#57606a' font-size='11'"))
  }
  parts.push(text((left + right) / 2, bottom + 36, 'sessions', "text-anchor='middle' fill='#57606a' font-size='11'"))
  for (const { colour, points: own } of series) {
    const sorted = [...own].sort((a, b) => a.sessions - b.sessions)
    const line = sorted.map(point => `${x(point.sessions).toFixed(1)},${y(point.value).toFixed(1)}`).join(' ')
    parts.push(`<polyline points='${line}' fill='none' stroke='${colour}' stroke-width='2'/>`)
    for (const { sessions, value } of sorted) {
      parts.push(`<circle cx='${x(sessions).toFixed(1)}' cy='${y(value).toFixed(1)}' r='4' fill='${colour}'/>`)
      const halo = "stroke='#ffffff' stroke-width='3' paint-order='stroke' font-size='11' text-anchor='middle'"
      parts.push(text(x(sessions), y(value) - 9, Math.round(value).toLocaleString('en'), halo))
    }
  }
  const foot = lines(footer(report), 150).map((line, i) =>
    text(24, bottom + 62 + 15 * i, line, "fill='#57606a' font-size='11'"),
  )
  return svg(bottom + 60 + 15 * foot.length + 6, 'Calls a second over several sessions', [...parts, ...foot])
}
