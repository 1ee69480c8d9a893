/** What a DLL does on purpose to the process that has loaded it. Each of these calls settles like any other's. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CFUNCTYPE, c_char_p, c_int, c_longlong, c_uint, c_void_p } from 'zugbruecke'
import type { Fault, Round } from './faults.js'

const Unary = CFUNCTYPE(c_int, c_int)
/** For what goes on behind the routine's return to happen, in milliseconds. */
const AFTERWARDS = 100
/** For calls that a process cannot answer any more and that nobody can see, in milliseconds. */
const LIMIT = 3000
const routines = ({ library }: Round) => library('hostile')

const [PAGE_NOACCESS, PAGE_READONLY] = [1, 2]
/** Of Linux on x86-64. */
const Linux = { mmap: 9, munmap: 11, fork: 57, exit: 60, archPrctl: 158, gettid: 186, closeRange: 436 } as const
const [PROT_READ_WRITE, MAP_FIXED_PRIVATE_ANONYMOUS, ARCH_SET_GS] = [3, 0x32, 0x1001]
const linux = (round: Round) =>
  round
    .library('linux')
    .func('linux_call', [c_longlong, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p], c_longlong)
    .with({ timeout: LIMIT })

/** A call to a routine of the DLL's, and one that shows what became of the process. */
const does =
  (name: string, ...values: readonly number[]) =>
  async (round: Round) => {
    const types = values.map(() => c_int)
    const routine = routines(round).func(name, types, c_int).with({ timeout: LIMIT }) as (
      ...values: readonly number[]
    ) => Promise<number>
    round.settle(routine(...values))
    await sleep(AFTERWARDS)
    if (round.session.up)
      round.settle(routines(round).func('add', [c_int, c_int], c_int).with({ timeout: LIMIT })(1, 2))
  }
/** The segment, as the DLL knows it: by an argument that lies in it. */
const placed = async ({ session }: Round) => {
  const bytes = session.memory.array(Int32Array, 4)
  return BigInt(session.types.addressof(session.memory.place(new (c_int.array(4))()))) + BigInt(bytes.length - 4)
}

export const HOSTILE: readonly Fault[] = [
  { name: 'faults in its handler of faults', becomes: 'either', act: does('fault_twice') },
  { name: 'says of each fault that all is well', becomes: 'ends', act: does('deny_faults') },
  {
    name: 'crashes in a call of a callback, and behind it',
    becomes: 'lives',
    act: round => {
      const [fault, read] = ['fault_after', 'read_at']
      const inner = round.library('faults').func(read, [c_longlong], c_int)
      round.settle(
        routines(round).func(
          fault,
          [Unary],
          c_int,
        )(async value => {
          await inner(24).catch(() => {})
          return value
        }),
      )
    },
  },
  { name: 'terminates all other threads', becomes: 'either', act: does('others', 0) },
  { name: 'suspends all other threads', becomes: 'either', act: does('others', 1) },
  // a call that still waits for its turn when its limit passes is withdrawn, and the session lives
  { name: 'has its thread suspended later', becomes: 'either', act: does('suspend_later') },
  {
    name: 'frees memory that it was lent',
    becomes: 'either',
    spoils: true,
    act: async round => {
      const free = routines(round).func('free_memory', [c_void_p], c_int).with({ timeout: LIMIT })
      round.settle(free(new Int32Array(4)))
      round.settle(free(await placed(round)))
    },
  },
  ...([PAGE_READONLY, PAGE_NOACCESS] as const).map(
    (protection): Fault => ({
      name: protection === PAGE_READONLY ? 'makes the shared memory read-only' : 'makes the shared memory unreadable',
      becomes: 'either',
      spoils: true,
      act: async round => {
        const protect = routines(round).func('protect_memory', [c_void_p, c_uint], c_int).with({ timeout: LIMIT })
        round.settle(protect(new Int32Array(4), protection))
      },
    }),
  ),
  {
    name: 'unloads the bridge',
    becomes: 'either',
    act: async round => {
      const free = routines(round).func('free_library', [c_char_p], c_int).with({ timeout: LIMIT })
      round.settle(free(`bridge-${round.session.arch}.dll`))
    },
  },
  {
    name: 'unloads Python',
    becomes: 'either',
    act: async round => {
      const free = routines(round).func('free_library', [c_char_p], c_int).with({ timeout: LIMIT })
      round.settle(free('python313.dll'))
    },
  },
  { name: 'frees all thread-local slots', becomes: 'either', act: does('free_slots') },
  { name: 'writes over the block of its thread', becomes: 'either', act: does('spoil_block') },
  { name: 'leaves its folder and its environment', becomes: 'lives', act: does('leave_folder') },
  { name: 'closes its standard handles', becomes: 'either', act: does('close_output') },
  {
    name: 'calls back from a stack of its own',
    becomes: 'lives',
    act: round =>
      round.settle(
        routines(round).func('call_on_fiber', [Unary], c_int)(value => value + 1),
        21,
      ),
  },
  ...['raises', 'crashes', 'exits again', 'ends its thread'].map(
    (how, i): Fault => ({
      name: `${how} when it is to leave`,
      becomes: 'ends',
      act: async round => {
        round.settle(routines(round).func('spoil_leaving', [c_int], null)(i + 1))
        if (round.random.below(2)) await sleep(round.random.below(20))
        round.settle(round.session.terminate())
      },
    }),
  ),
  {
    name: 'ends its thread behind the back of Wine',
    becomes: 'ends',
    arch: 'win64',
    act: round => round.settle(linux(round)(Linux.exit, 0n, null, null, null, null)),
  },
  {
    name: 'splits itself in two (fork)',
    becomes: 'either',
    arch: 'win64',
    spoils: true,
    act: async round => {
      round.settle(linux(round)(Linux.fork, null, null, null, null, null))
      await sleep(AFTERWARDS)
    },
  },
  {
    name: 'closes all descriptors of Linux',
    becomes: 'either',
    arch: 'win64',
    act: round => round.settle(linux(round)(Linux.closeRange, 0n, 0xffff_ffffn, null, null, null)),
  },
  {
    name: 'loses the block of its thread',
    becomes: 'ends',
    arch: 'win64',
    act: round => round.settle(linux(round)(Linux.archPrctl, BigInt(ARCH_SET_GS), 8n, null, null, null)),
  },
  {
    name: 'maps over the shared memory',
    becomes: 'either',
    arch: 'win64',
    spoils: true,
    act: async round => {
      const at = (await placed(round)) & ~0xffffn
      round.settle(
        linux(round)(Linux.mmap, at, 0x20000n, BigInt(PROT_READ_WRITE), BigInt(MAP_FIXED_PRIVATE_ANONYMOUS), -1n),
      )
    },
  },
  {
    name: 'unmaps the shared memory',
    becomes: 'either',
    arch: 'win64',
    spoils: true,
    act: async round => {
      const at = (await placed(round)) & ~0xffffn
      round.settle(linux(round)(Linux.munmap, at - 0x100000n, 0x400000n, null, null, null))
    },
  },
]
