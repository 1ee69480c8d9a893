/** Text of the command line to values, and values to text. */

/** JSON that knows bigints: a number where it is exact, otherwise a string of digits. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) =>
      typeof item === 'bigint'
        ? BigInt(Number(item)) === item && Number.isSafeInteger(Number(item))
          ? Number(item)
          : String(item)
        : item,
    2,
  )
}

/** One argument: text where the parameter is a string, otherwise null, true, false, a number, JSON, or else text. */
export function readArgument(text: string, takesText: boolean): unknown {
  if (text === 'null') return null
  const quoted = /^".*"$/s.test(text)
  if (takesText && !quoted) return text
  if (/^[+-]?(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) {
    const negative = text.startsWith('-')
    const size = BigInt(text.replace(/^[+-]/, ''))
    const whole = negative ? -size : size
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
  }
  const float = readFloat(text)
  if (float !== undefined) return float
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What C writes for a floating-point number, which is more than JSON knows: `.5`, `5.`, `-inf`, `nan`. */
function readFloat(text: string): number | undefined {
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text)
  if (special) return (special[1] === '-' ? -1 : 1) * (/^n/i.test(special[2]) ? Number.NaN : Number.POSITIVE_INFINITY)
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}
