/**
 * The system calls that a sandbox refuses, for no namespace keeps apart what they reach: the keys of the user's session, the machine that
 * this one runs on (vsock) and other kinds of sockets, and io_uring, which makes sockets without a call of its own. As a program for
 * seccomp (linux/seccomp.h, linux/filter.h): each instruction is a code, two jumps and a constant.
 */
import type { Config } from './config.js'

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, constant: number]

const load = (offset: number): Instruction => [0x20, 0, 0, offset]
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16].map(load)
const give = (constant: number): Instruction => [0x06, 0, 0, constant]
const allow = give(0x7fff_0000)
const refuse = (errno: number) => give(0x0005_0000 | errno)
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97].map(refuse)
const ifEqual = (constant: number, then: Instruction): Instruction[] => [[0x15, 0, 1, constant], then]
const ifAtLeast = (constant: number, then: Instruction): Instruction[] => [[0x35, 0, 1, constant], then]
/** Goes on with a part where it is equal, and behind it where not. */
const onlyIf = (constant: number, part: readonly Instruction[]): Instruction[] => [
  [0x15, 0, part.length, constant],
  ...part,
]

/** Of linux/audit.h. */
const [X86_64, I386] = [0xc000_003e, 0x4000_0003]
/** Of the calls for programs with 32-bit pointers in 64-bit mode, which nobody here makes. */
const X32 = 0x4000_0000
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: those have namespaces. */
const FAMILIES = [1, 2, 10, 16]
/** io_uring_setup, _enter, _register. */
const RINGS = [425, 426, 427]
const SOCKET_OF_SOCKETCALL = 1

const socket = [FIRST_ARGUMENT, ...FAMILIES.flatMap(family => ifEqual(family, allow)), EAFNOSUPPORT]
/** `keys`: add_key, request_key, keyctl. */
const refused = (keys: readonly number[]) => [
  ...keys.flatMap(call => ifEqual(call, EPERM)),
  ...RINGS.flatMap(call => ifEqual(call, ENOSYS)),
]

/**
 * The program for a session of an architecture. `socketcall`, by which 32-bit code makes sockets, does not say of which family where
 * a filter could see it: 32-bit sessions need it, and 64-bit sessions lose their 32-bit programs.
 */
export function syscallFilter(arch: Config['arch']): Uint8Array {
  const wide = [NUMBER, ...ifAtLeast(X32, ENOSYS), ...refused([248, 249, 250]), ...onlyIf(41, socket), allow]
  const narrow = [
    NUMBER,
    ...refused([286, 287, 288]),
    ...onlyIf(359, socket),
    ...(arch === 'win64' ? onlyIf(102, [FIRST_ARGUMENT, ...ifEqual(SOCKET_OF_SOCKETCALL, EAFNOSUPPORT)]) : []),
    allow,
  ]
  const program = [ARCHITECTURE, ...onlyIf(X86_64, wide), ...onlyIf(I386, narrow), ENOSYS]
  const bytes = new DataView(new ArrayBuffer(8 * program.length))
  for (const [i, [code, ifTrue, ifFalse, constant]] of program.entries()) {
    bytes.setUint16(8 * i, code, true)
    bytes.setUint8(8 * i + 2, ifTrue)
    bytes.setUint8(8 * i + 3, ifFalse)
    bytes.setUint32(8 * i + 4, constant, true)
  }
  return new Uint8Array(bytes.buffer)
}
