/** The numbers of docs/wire.md: see schema/numbers.mjs, where each stands once, for all languages. */
export * from './generated/numbers.js'
