// The hot path's encoder: writes the canonical messages of docs/wire.md into a memory of its own, from where a thread copies them
// to their place. Compiled to WebAssembly; no static data and no allocator, so that all of the memory is the message's.
// Ids and addresses arrive as f64 where they are known to be below 2^53, and so cross from JS without a BigInt.

import {
  BATCH_COLUMNS, BATCH_COLUMN_SIZE, BATCH_COUNT, BATCH_ERRORS, BATCH_ERROR_CAPACITY, BATCH_FLAGS, BATCH_LAST_ERRORS_AT, BATCH_RESULTS,
  BATCH_RESULT_KIND, BATCH_RESULT_STRIDE, BATCH_ROUTINE, BATCH_ROWS, BATCH_TEXTS, BATCH_TEXT_ROOM, CALL_ARGUMENTS, CALL_COUNT,
  CALL_ROUTINE, CALL_TEXTS, CALL_TEXT_ROOM, RETURN_RESULT, headOfBatch, headOfCall, headOfReturn,
} from './numbers'

/** All of a Call but its arguments. */
export function call(routine: u32, count: u32): void {
  headOfCall()
  store<u64>(0, 0, CALL_TEXTS)
  store<u32>(0, routine, CALL_ROUTINE)
  store<u32>(0, 0, CALL_TEXT_ROOM)
  store<u32>(0, 0, CALL_TEXT_ROOM + 4)
  store<u32>(0, count, CALL_COUNT)
}

/** Of a Call: where the texts of its routine may go. */
export function textRoom(address: f64, size: u32): void {
  store<u64>(0, <u64>address, CALL_TEXTS)
  store<u32>(0, size, CALL_TEXT_ROOM)
}

export function int(index: u32, low: i32, high: i32): void {
  const at = <usize>index << 3
  store<i32>(at, low, CALL_ARGUMENTS)
  store<i32>(at, high, CALL_ARGUMENTS + 4)
}

/** An argument that is an unsigned number below 2^53: an address. */
export function address(index: u32, value: f64): void {
  store<u64>(<usize>index << 3, <u64>value, CALL_ARGUMENTS)
}

export function float(index: u32, value: f32): void {
  const at = <usize>index << 3
  store<f32>(at, value, CALL_ARGUMENTS)
  store<u32>(at, 0, CALL_ARGUMENTS + 4)
}

export function double(index: u32, value: f64): void {
  store<f64>(<usize>index << 3, value, CALL_ARGUMENTS)
}

/** All of a Batch but its columns. */
export function batch(
  texts: f64, routine: u32, flags: u32, rows: u32, resultStride: u32, results: f64, errors: f64, lastErrors: f64,
  errorCapacity: u32, resultKind: u32, count: u32, textRoom: u32,
): void {
  headOfBatch()
  store<u64>(0, <u64>texts, BATCH_TEXTS)
  store<u32>(0, routine, BATCH_ROUTINE)
  store<u32>(0, flags, BATCH_FLAGS)
  store<u32>(0, rows, BATCH_ROWS)
  store<u32>(0, resultStride, BATCH_RESULT_STRIDE)
  store<u64>(0, <u64>results, BATCH_RESULTS)
  store<u64>(0, <u64>errors, BATCH_ERRORS)
  store<u64>(0, <u64>lastErrors, BATCH_LAST_ERRORS_AT)
  store<u32>(0, errorCapacity, BATCH_ERROR_CAPACITY)
  store<u32>(0, resultKind, BATCH_RESULT_KIND)
  store<u32>(0, textRoom, BATCH_TEXT_ROOM)
  store<u32>(0, count, BATCH_COUNT)
}

export function column(index: u32, pointer: u64, stride: i32, kind: u32): void {
  const at = <usize>index * BATCH_COLUMN_SIZE
  store<u64>(at, pointer, BATCH_COLUMNS)
  store<i64>(at, <i64>stride, BATCH_COLUMNS + 8)
  store<u64>(at, <u64>kind, BATCH_COLUMNS + 16)
}

/** What a callback returned. */
export function answer(low: i32, high: i32): void {
  headOfReturn()
  store<i32>(0, low, RETURN_RESULT)
  store<i32>(0, high, RETURN_RESULT + 4)
}
