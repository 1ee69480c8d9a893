// The hot path's encoder: writes the canonical messages of docs/wire.md into a memory of its own, from where a thread copies them
// to their place. Compiled to WebAssembly; no static data and no allocator, so that all of the memory is the message's.
// Ids and addresses arrive as f64 where they are known to be below 2^53, and so cross from JS without a BigInt.

// Where the root table of each message lies.
const CALL_ROOT: u32 = 16
const BATCH_ROOT: u32 = 32
const RETURN_ROOT: u32 = 12

/** All of a Call but its arguments. */
export function call(m: usize, routine: u32, count: u32): void {
  store<u32>(m, CALL_ROOT, 0)
  store<u32>(m, 12 | (24 << 16), 4) // vtable: its size, the table's size
  store<u32>(m, 8 | (16 << 16), 8) // texts, routine
  store<u32>(m, 20 | (4 << 16), 12) // text_room, arguments
  store<i32>(m, 12, 16)
  store<u32>(m, 24, 20)
  store<u64>(m, 0, 24)
  store<u32>(m, routine, 32)
  store<u32>(m, 0, 36)
  store<u32>(m, 0, 40)
  store<u32>(m, count, 44)
}

/** Of a Call: where the texts of its routine may go. */
export function textRoom(m: usize, address: f64, size: u32): void {
  store<u64>(m, <u64>address, 24)
  store<u32>(m, size, 36)
}

export function int(m: usize, index: u32, low: i32, high: i32): void {
  const at = m + 48 + (<usize>index << 3)
  store<i32>(at, low, 0)
  store<i32>(at, high, 4)
}

/** An argument that is an unsigned number below 2^53: an address. */
export function address(m: usize, index: u32, value: f64): void {
  store<u64>(m + 48 + (<usize>index << 3), <u64>value)
}

export function float(m: usize, index: u32, value: f32): void {
  const at = m + 48 + (<usize>index << 3)
  store<f32>(at, value, 0)
  store<u32>(at, 0, 4)
}

export function double(m: usize, index: u32, value: f64): void {
  store<f64>(m + 48 + (<usize>index << 3), value)
}

/** All of a Batch but its columns. */
export function batch(
  m: usize, texts: f64, routine: u32, flags: u32, rows: u32, resultStride: u32, results: f64, errors: f64, lastErrors: f64,
  errorCapacity: u32, resultKind: u32, count: u32, textRoom: u32,
): void {
  store<u32>(m, BATCH_ROOT, 0)
  store<u32>(m, 28 | (68 << 16), 4)
  store<u32>(m, 8 | (16 << 16), 8)
  store<u32>(m, 20 | (24 << 16), 12)
  store<u32>(m, 28 | (32 << 16), 16)
  store<u32>(m, 40 | (48 << 16), 20)
  store<u32>(m, 56 | (60 << 16), 24)
  store<u32>(m, 4 | (64 << 16), 28)
  store<i32>(m, 28, 32)
  store<u32>(m, 64, 36)
  store<u64>(m, <u64>texts, 40)
  store<u32>(m, routine, 48)
  store<u32>(m, flags, 52)
  store<u32>(m, rows, 56)
  store<u32>(m, resultStride, 60)
  store<u64>(m, <u64>results, 64)
  store<u64>(m, <u64>errors, 72)
  store<u64>(m, <u64>lastErrors, 80)
  store<u32>(m, errorCapacity, 88)
  store<u32>(m, resultKind, 92)
  store<u32>(m, textRoom, 96)
  store<u32>(m, count, 100)
}

export function column(m: usize, index: u32, pointer: u64, stride: i32, kind: u32): void {
  const at = m + 104 + <usize>index * 24
  store<u64>(at, pointer, 0)
  store<i64>(at, <i64>stride, 8)
  store<u64>(at, <u64>kind, 16)
}

/** What a callback returned. */
export function answer(m: usize, low: i32, high: i32): void {
  store<u32>(m, RETURN_ROOT, 0)
  store<u32>(m, 6 | (12 << 16), 4)
  store<u32>(m, 4, 8)
  store<i32>(m, 8, 12)
  store<i32>(m, low, 16)
  store<i32>(m, high, 20)
}
