/** `a[i]` for objects whose elements are not properties. */
import { BLOCK, CData, OFFSET } from './data.js'

/** Elements by number; `index` may be any integer. */
export interface Indexed {
  at(index: number): unknown
  set(index: number, value: unknown): void
}

const isIndex = (key: string | symbol): key is string => typeof key === 'string' && /^-?\d+$/.test(key)

/**
 * Puts a proxy behind the prototype: whatever is a real property is found before it, at full speed; only a number gets that far.
 * A proxy around each object would slow down every access.
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
    // For `instanceof`: the chain goes on as if the proxy were not there.
    getPrototypeOf: () => CData.prototype,
  })
  Object.setPrototypeOf(prototype, proxy)
  // What each access asks for must not walk up to the proxy.
  for (const key of [BLOCK, OFFSET])
    Object.defineProperty(prototype, key, Object.getOwnPropertyDescriptor(CData.prototype, key) as PropertyDescriptor)
}
