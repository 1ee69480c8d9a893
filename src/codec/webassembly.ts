/**
 * Types for the part of WebAssembly that this package uses: Node's types have it only together with those of browsers.
 */

interface WebAssemblyNamespace {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer } } }
}

/** Undefined under `--jitless`. */
export const WebAssembly = (globalThis as unknown as { WebAssembly?: WebAssemblyNamespace }).WebAssembly
