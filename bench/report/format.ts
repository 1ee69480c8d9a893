/** Figures as people read them. */
import type { Unit } from '../model.js'

export function formatMicroseconds(us: number): string {
  if (us < 0.9995) return `${significant(us * 1000)} ns`
  if (us < 999.5) return `${significant(us)} µs`
  if (us < 999_500) return `${significant(us / 1000)} ms`
  return `${significant(us / 1e6)} s`
}

export function formatValue(value: number, unit: Unit): string {
  if (unit === 'us') return formatMicroseconds(value)
  if (unit === '/s') return `${Math.round(value).toLocaleString('en')}/s`
  return `${value.toFixed(unit === '%' ? 2 : 1)} ${unit}`
}

/** How many times, with the digits that mean something. */
export function formatRatio(ratio: number): string {
  return ratio >= 100 ? `${Math.round(ratio).toLocaleString('en')}×` : `${significant(ratio)}×`
}

function significant(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value.toFixed(value >= 10 ? 1 : 2)
}
