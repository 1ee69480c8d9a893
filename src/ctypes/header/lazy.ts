/** Collections whose names are known, and whose values are made when they are first read. */

/** An object of such values. It has no prototype, for a header may use any name, also `constructor`. */
export function lazyObject<T>(names: Iterable<string>, make: (name: string) => T): { readonly [name: string]: T } {
  const object: { [name: string]: T } = Object.create(null)
  for (const name of names)
    Object.defineProperty(object, name, {
      get() {
        const value = make(name)
        Object.defineProperty(object, name, { value, enumerable: true })
        return value
      },
      enumerable: true,
      configurable: true,
    })
  return object
}

/** A map of such values, none of which is undefined. */
export class LazyMap<T> extends Map<string, T> {
  constructor(
    names: Iterable<string>,
    readonly make: (name: string) => T,
  ) {
    super()
    for (const name of names) super.set(name, undefined as T)
  }
  override get(name: string): T | undefined {
    const known = super.get(name)
    if (known !== undefined || !this.has(name)) return known
    const value = this.make(name)
    super.set(name, value)
    return value
  }
  #all(): Map<string, T> {
    return new Map([...this.keys()].map(name => [name, this.get(name) as T]))
  }
  override entries() {
    return this.#all().entries()
  }
  override values() {
    return this.#all().values()
  }
  override [Symbol.iterator]() {
    return this.entries()
  }
  override forEach(visit: (value: T, name: string, map: Map<string, T>) => void, self?: unknown): void {
    this.#all().forEach(visit, self)
  }
}
