/** All scalar types: numbers and characters, and the pointers that read as an address or as text. */
export * from './scalars.js'
export * from './void-pointer.js'
