/** The little of WebAssembly that this package uses, typed here because Node's types have it only together with the browser's. */

interface WebAssemblyNamespace {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer } } }
}

export const WebAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly
