/** Results of every kind. */
const results = {
  function: () => () => 1,
  functions: () => ({ f: () => 1 }),
  promise: () => ({ p: Promise.resolve(5) }),
  symbol: () => Symbol('s'),
  getter: () => ({
    get value() {
      throw null
    },
  }),
  bytes: () => ({ bytes: Uint8Array.of(1, 2) }),
  later: async () => 5,
}

export default (_session, how) => results[how]()
