// Made by `npm run generate` from schema/numbers.mjs.
export const CALL_TEXTS: u32 = 24
export const CALL_ROUTINE: u32 = 32
export const CALL_TEXT_ROOM: u32 = 36
export const CALL_COUNT: u32 = 44
export const CALL_ARGUMENTS: u32 = 48
export const BATCH_TEXTS: u32 = 40
export const BATCH_ROUTINE: u32 = 48
export const BATCH_FLAGS: u32 = 52
export const BATCH_ROWS: u32 = 56
export const BATCH_RESULT_STRIDE: u32 = 60
export const BATCH_RESULTS: u32 = 64
export const BATCH_ERRORS: u32 = 72
export const BATCH_LAST_ERRORS_AT: u32 = 80
export const BATCH_ERROR_CAPACITY: u32 = 88
export const BATCH_RESULT_KIND: u32 = 92
export const BATCH_TEXT_ROOM: u32 = 96
export const BATCH_COUNT: u32 = 100
export const BATCH_COLUMNS: u32 = 104
export const BATCH_COLUMN_SIZE: u32 = 24
export const RETURN_SIZE: u32 = 24
export const RETURN_RESULT: u32 = 16

@inline
export function headOfCall(): void {
  store<u32>(0, 16, 0)
  store<u32>(0, 0x18000c, 4)
  store<u32>(0, 0x100008, 8)
  store<u32>(0, 0x40014, 12)
  store<u32>(0, 12, 16)
  store<u32>(0, 24, 20)
}

@inline
export function headOfBatch(): void {
  store<u32>(0, 32, 0)
  store<u32>(0, 0x44001c, 4)
  store<u32>(0, 0x100008, 8)
  store<u32>(0, 0x180014, 12)
  store<u32>(0, 0x20001c, 16)
  store<u32>(0, 0x300028, 20)
  store<u32>(0, 0x3c0038, 24)
  store<u32>(0, 0x400004, 28)
  store<u32>(0, 28, 32)
  store<u32>(0, 64, 36)
}

@inline
export function headOfReturn(): void {
  store<u32>(0, 12, 0)
  store<u32>(0, 0xc0006, 4)
  store<u32>(0, 4, 8)
  store<u32>(0, 8, 12)
}
