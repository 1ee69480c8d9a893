// The hot path's encoder: writes the canonical messages of docs/wire.md into a memory of its own, from where a thread copies them
// to their place. Compiled to WebAssembly; no static data and no allocator, so that all of the memory is the message's.
// Ids and addresses arrive as f64 where they are known to be below 2^53, and so cross from JS without a BigInt.

import {
  BATCH_COLUMNS, BATCH_COLUMN_SIZE, BATCH_COUNT, BATCH_ERRORS, BATCH_ERROR_CAPACITY, BATCH_FLAGS, BATCH_LAST_ERRORS_AT, BATCH_RESULTS,
  BATCH_RESULT_KIND, BATCH_RESULT_STRIDE, BATCH_ROUTINE, BATCH_ROWS, BATCH_TEXTS, BATCH_TEXT_ROOM, CALL_ARGUMENTS, CALL_COUNT,
  CALL_ROUTINE, CALL_TEXTS, CALL_TEXT_ROOM, RETURN_RESULT, headOfBatch, headOfCall, headOfReturn,
} from './numbers'

/** All of a Call but its arguments. */
export function call(m: usize, routine: u32, count: u32): void {
  headOfCall(m)
  store<u64>(m, 0, CALL_TEXTS)
  store<u32>(m, routine, CALL_ROUTINE)
  store<u32>(m, 0, CALL_TEXT_ROOM)
  store<u32>(m, 0, CALL_TEXT_ROOM + 4)
  store<u32>(m, count, CALL_COUNT)
}

/** Of a Call: where the texts of its routine may go. */
export function textRoom(m: usize, address: f64, size: u32): void {
  store<u64>(m, <u64>address, CALL_TEXTS)
  store<u32>(m, size, CALL_TEXT_ROOM)
}

export function int(m: usize, index: u32, low: i32, high: i32): void {
  const at = m + (<usize>index << 3)
  store<i32>(at, low, CALL_ARGUMENTS)
  store<i32>(at, high, CALL_ARGUMENTS + 4)
}

/** An argument that is an unsigned number below 2^53: an address. */
export function address(m: usize, index: u32, value: f64): void {
  store<u64>(m + (<usize>index << 3), <u64>value, CALL_ARGUMENTS)
}

export function float(m: usize, index: u32, value: f32): void {
  const at = m + (<usize>index << 3)
  store<f32>(at, value, CALL_ARGUMENTS)
  store<u32>(at, 0, CALL_ARGUMENTS + 4)
}

export function double(m: usize, index: u32, value: f64): void {
  store<f64>(m + (<usize>index << 3), value, CALL_ARGUMENTS)
}

/** All of a Batch but its columns. */
export function batch(
  m: usize, texts: f64, routine: u32, flags: u32, rows: u32, resultStride: u32, results: f64, errors: f64, lastErrors: f64,
  errorCapacity: u32, resultKind: u32, count: u32, textRoom: u32,
): void {
  headOfBatch(m)
  store<u64>(m, <u64>texts, BATCH_TEXTS)
  store<u32>(m, routine, BATCH_ROUTINE)
  store<u32>(m, flags, BATCH_FLAGS)
  store<u32>(m, rows, BATCH_ROWS)
  store<u32>(m, resultStride, BATCH_RESULT_STRIDE)
  store<u64>(m, <u64>results, BATCH_RESULTS)
  store<u64>(m, <u64>errors, BATCH_ERRORS)
  store<u64>(m, <u64>lastErrors, BATCH_LAST_ERRORS_AT)
  store<u32>(m, errorCapacity, BATCH_ERROR_CAPACITY)
  store<u32>(m, resultKind, BATCH_RESULT_KIND)
  store<u32>(m, textRoom, BATCH_TEXT_ROOM)
  store<u32>(m, count, BATCH_COUNT)
}

export function column(m: usize, index: u32, pointer: u64, stride: i32, kind: u32): void {
  const at = m + <usize>index * BATCH_COLUMN_SIZE
  store<u64>(at, pointer, BATCH_COLUMNS)
  store<i64>(at, <i64>stride, BATCH_COLUMNS + 8)
  store<u64>(at, <u64>kind, BATCH_COLUMNS + 16)
}

/** What a callback returned. */
export function answer(m: usize, low: i32, high: i32): void {
  headOfReturn(m)
  store<i32>(m, low, RETURN_RESULT)
  store<i32>(m, high, RETURN_RESULT + 4)
}
