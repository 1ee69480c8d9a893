/** All scalar types in one place, for those that need both kinds. */
export * from './scalars.js'
export * from './void-pointer.js'
