/**
 * Functions of the C library that Node does not offer, called through koffi. A call takes about 0.2 µs; none passes a
 * JavaScript callback. Descriptors of sessions are opened and closed here, too. When a thread ends, Node closes the
 * descriptors that the thread opened by `node:fs`: even those that other threads use, and even a number that was closed
 * here meanwhile and is another file's by then.
 */
import { createRequire } from 'node:module'
import { SetupError } from '../errors.js'
import { uninterrupted } from './uninterrupted.js'

/** An address in this process. */
export type Address = bigint

interface Koffi {
  load(library: string): { func(prototype: string): (...args: never[]) => unknown }
  view(address: Address, length: number): ArrayBuffer
  errno(): number
}

interface Libc {
  memfd_create(name: string, flags: number): number
  ftruncate(fd: number, length: number): number
  fcntl(fd: number, command: number, argument: number): number
  fallocate(fd: number, mode: number, offset: number, length: number): number
  mmap(address: Address | null, length: number, protection: number, flags: number, fd: number, offset: number): Address
  munmap(address: Address, length: number): number
  mremap(address: Address, length: number, newLength: number, flags: number, newAddress: Address): Address
  pipe2(descriptors: Int32Array, flags: number): number
  open(path: string, flags: number): number
  close(fd: number): number
  poll(descriptors: Uint8Array, count: number, milliseconds: number): number
  read(fd: number, bytes: Uint8Array, size: number): number
  write(fd: number, bytes: Uint8Array, size: number): number
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number
  sched_yield(): number
  flock(fd: number, operation: number): number
  syscall(number: number): number
}

const PROTOTYPES: { readonly [name in keyof Libc]: string } = {
  memfd_create: 'int memfd_create(const char *name, unsigned int flags)',
  ftruncate: 'int ftruncate(int fd, int64_t length)',
  fcntl: 'int fcntl(int fd, int command, int argument)',
  fallocate: 'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
  mmap: 'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(void *address, size_t length)',
  mremap: 'void *mremap(void *address, size_t length, size_t newLength, int flags, void *newAddress)',
  pipe2: 'int pipe2(void *descriptors, int flags)',
  open: 'int open(const char *path, int flags)',
  close: 'int close(int fd)',
  poll: 'int poll(void *descriptors, unsigned long count, int milliseconds)',
  read: 'int64_t read(int fd, void *bytes, size_t size)',
  write: 'int64_t write(int fd, void *bytes, size_t size)',
  send: 'int64_t send(int fd, void *bytes, size_t size, int flags)',
  sched_yield: 'int sched_yield()',
  flock: 'int flock(int fd, int operation)',
  syscall: 'long syscall(long number)',
}

let koffi: Koffi | undefined
let loaded: Libc | undefined

function load(): Libc {
  koffi = createRequire(import.meta.url)('koffi') as Koffi
  const library = koffi.load('libc.so.6')
  const functions = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)])
  return Object.fromEntries(functions) as Libc
}

/** Throws SetupError where koffi, or the part of it that is machine code, is not there. */
export function libc(): Libc {
  if (loaded) return loaded
  try {
    loaded = uninterrupted(load)
  } catch (cause) {
    throw new SetupError(
      `memory cannot be shared with Wine, for the package koffi cannot be loaded (${(cause as Error).message.split('\n')[0]}): ` +
        'install it with its platform package (npm install koffi @koromix/koffi-linux-x64, without --omit=optional), leave both out of bundles, ' +
        'and where Node runs with --permission allow addons (--allow-addons)',
      { cause },
    )
  }
  return loaded
}

/** An ArrayBuffer over memory of this process. It must not outlive the memory: to touch what is unmapped ends Node. */
export function viewOf(address: Address, length: number): ArrayBuffer {
  libc()
  return uninterrupted(() => (koffi as Koffi).view(address, length))
}

/** The argument of `poll` that asks whether a descriptor is ready for `events`. */
export function pollRecord(fd: number, events: number): Uint8Array {
  const asked = new DataView(new ArrayBuffer(8))
  asked.setInt32(0, fd, true)
  asked.setInt16(4, events, true)
  return new Uint8Array(asked.buffer)
}

/** Linux's number of the error with which a call of this thread failed last. */
export function errno(): number {
  libc()
  return (koffi as Koffi).errno()
}
