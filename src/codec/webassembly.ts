/** The little of WebAssembly that this package uses, typed here because Node's types have it only together with the browser's. */

/** A WebAssembly.Memory that threads share. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer
}

interface WebAssemblyNamespace {
  Memory: new (options: { initial: number; maximum: number; shared: boolean }) => SharedMemory
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: { env: { memory: SharedMemory } }) => { exports: unknown }
}

export const WebAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly
