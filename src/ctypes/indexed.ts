/** `a[i]` for objects whose elements are not properties. */
import { BLOCK, CData, OFFSET } from './data.js'

/** An object with elements. `at` and `set` throw ArgumentError for an index that it does not have. */
interface Indexed {
  at(index: number): unknown
  set(index: number, value: unknown): void
}

const isIndex = (key: string | symbol): key is string => typeof key === 'string' && /^-?\d+$/.test(key)

/**
 * Puts a proxy behind the prototype, which only names that are no property of the object or the prototype get to, such as `0`. All else is as
 * fast as without it; a proxy around each object would slow down every access.
 */
export function makeIndexed(prototype: object): void {
  const proxy = new Proxy(CData.prototype, {
    get: (target, key, receiver) =>
      isIndex(key) ? (receiver as Indexed).at(Number(key)) : Reflect.get(target, key, receiver),
    set(target, key, value, receiver) {
      if (!isIndex(key)) return Reflect.set(target, key, value, receiver)
      ;(receiver as Indexed).set(Number(key), value)
      return true
    },
    // so that `instanceof` goes on to CData
    getPrototypeOf: () => CData.prototype,
  })
  Object.setPrototypeOf(prototype, proxy)
  // CData has these, but each access asks for them and would go through the proxy
  for (const key of [BLOCK, OFFSET])
    Object.defineProperty(prototype, key, Object.getOwnPropertyDescriptor(CData.prototype, key) as PropertyDescriptor)
}
