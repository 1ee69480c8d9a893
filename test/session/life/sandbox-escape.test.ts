/** What a hostile DLL in a sandbox tries: it makes system calls of Linux, which neither Wine nor the host sees. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession } from 'zugbruecke'
import { libc } from '../../../dist/src/channel/libc.js'
import { prefixFolder } from '../../../dist/src/runtime/locate.js'
import { sandboxProblem } from '../../../dist/src/runtime/sandbox.js'
import { dll } from '../support.js'

/** Of Linux on x86-64. */
const Call = {
  read: 0,
  close: 3,
  pipe: 22,
  socket: 41,
  connect: 42,
  kill: 62,
  link: 86,
  readlink: 89,
  chmod: 90,
  ptrace: 101,
  addKey: 248,
  mknod: 133,
  pivotRoot: 155,
  chroot: 161,
  mount: 165,
  umount: 166,
  keyctl: 250,
  openat: 257,
  unlinkat: 263,
  unshare: 272,
  openByHandle: 304,
  setns: 308,
  processVmRead: 310,
  pidfdOpen: 434,
  openTree: 428,
  fsopen: 430,
  ioUringSetup: 425,
} as const
const AT_FDCWD = -100
const [O_RDONLY, O_WRONLY, O_CREAT, O_DIRECTORY] = [0, 1, 0o100, 0o200000]
const SECRET = `secret-of-the-test-${process.pid}`

interface Hostile {
  session: CtypesSession
  /** What the kernel answers: an error's number is negative. */
  call(number: number, ...args: unknown[]): Promise<number>
  /** What a file says; undefined where it cannot be opened. */
  read(path: string): Promise<string | undefined>
  opens(path: string, flags: number): Promise<boolean>
  /** Folders outside that hold a secret, and where nothing may be written. */
  outside: string[]
  remove: (() => void)[]
}

const test = suite<Hostile>('a hostile DLL in a sandbox')
const there = (await sandboxProblem()) === undefined && process.env.ZUGBRUECKE_ARCH !== 'win32'
const sandboxed = there ? test : test.skip
const path = (text: string) => Buffer.from(`${text}\0`)
const unixAddress = (text: string) => Buffer.concat([Buffer.from([1, 0]), Buffer.from(text)])

/** A process's descriptors, by what they stand for. */
const identities = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      const file = `/proc/${pid}/fd/${fd}`
      const kind = readlinkSync(file).replace(/^\/(memfd):.*/, '$1')
      return [kind === 'memfd' ? `${kind} ${statSync(file).ino}` : kind]
    } catch {
      return [] // closed meanwhile
    }
  })

async function listen(at: string): Promise<Server> {
  const server = createServer(socket => socket.destroy()).listen(at)
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  return server
}

test.before(async context => {
  if (!there) return
  process.env.ZB_SECRET = SECRET
  const outside = [tmpdir(), homedir()].map(folder => mkdtempSync(join(folder, '.zugbruecke-test-')))
  for (const folder of outside) {
    mkdirSync(join(folder, '.ssh'))
    writeFileSync(join(folder, '.ssh/id_ed25519'), SECRET)
  }
  context.outside = outside
  context.remove = outside.map(folder => () => rmSync(folder, { recursive: true }))
  // nothing beside the DLL is seen, nor does the folder have to be named
  const library = join(outside[0], 'linux.dll')
  copyFileSync(dll('linux'), library)
  // a descriptor that this program would hand on to whatever it starts, as one that it was started with
  const handedOn = openSync(join(outside[0], '.ssh/id_ed25519'), 'r')
  libc().fcntl(handedOn, 2, 0)
  context.remove.push(() => closeSync(handedOn))
  context.session = await CtypesSession.start({ sandbox: true, cwd: '/' })
  const linux = context.session
    .CDLL(library)
    .func<unknown[], bigint>('int64_t linux_call(int64_t, void *, void *, void *, void *, void *)')
  context.call = async (number, ...args) => {
    const given = [0, 1, 2, 3, 4].map(at => args[at] ?? null)
    return Number(await linux(number, ...given.map(one => (typeof one === 'number' ? BigInt(one) : one))))
  }
  context.opens = async (file, flags) => {
    const fd = await context.call(Call.openat, AT_FDCWD, path(file), flags, 0o600)
    if (fd >= 0) await context.call(Call.close, fd)
    return fd >= 0
  }
  context.read = async file => {
    const fd = await context.call(Call.openat, AT_FDCWD, path(file), O_RDONLY)
    if (fd < 0) return undefined
    const bytes = Buffer.alloc(65536)
    const length = await context.call(Call.read, fd, bytes, bytes.length)
    await context.call(Call.close, fd)
    return bytes.subarray(0, Math.max(0, length)).toString('latin1')
  }
})

test.after(async ({ session, remove }) => {
  await session?.terminate()
  for (const one of remove ?? []) one()
  delete process.env.ZB_SECRET
})

sandboxed('system calls work at all: it reads and writes what is its own', async ({ call, read, opens }) => {
  assert.match((await read('/proc/self/status')) ?? '', 'CapEff:\t0000000000000000')
  assert.is(await opens('/tmp/own', O_WRONLY | O_CREAT), true)
  assert.is(await call(Call.kill, 1, 0), 0)
})

sandboxed('keys and files of others cannot be read', async ({ read, outside, session }) => {
  for (const folder of outside) assert.is(await read(join(folder, '.ssh/id_ed25519')), undefined, folder)
  const around = ['/proc/1/root', '/proc/self/root', '/proc/self/cwd', '/proc/thread-self/root', '/..']
  for (const way of around)
    for (const folder of outside) assert.is(await read(`${way}${folder}/.ssh/id_ed25519`), undefined, way)
  for (const file of ['/etc/shadow', '/etc/gshadow', '/etc/ssh/ssh_host_ed25519_key', '/var/log/syslog', '/dev/mem'])
    assert.is(await read(file), undefined, file)
  for (const pid of [process.pid, process.ppid, session.pid])
    for (const file of ['environ', 'mem', 'maps', 'root/etc/passwd', 'cwd/etc/passwd'])
      assert.is(await read(`/proc/${pid}/${file}`), undefined, `${pid}/${file}`)
})

sandboxed('nothing outside is written, changed or taken away', async ({ call, opens, outside }) => {
  const prefix = prefixFolder({ arch: 'win64', wine: null, prefix: process.env.ZUGBRUECKE_PREFIX ?? null })
  const folders = [...outside, prefix, join(prefix, 'drive_c/windows/system32'), process.cwd(), '/usr/lib', '/etc', '/']
  for (const folder of [...folders, '/home', '/opt', '/srv', '/mnt', '/var/tmp', '/dev/shm', '/run'])
    await opens(join(folder, 'zugbruecke-escaped'), O_WRONLY | O_CREAT)
  const made = [...folders, '/home', '/opt', '/srv', '/mnt', '/var/tmp', '/dev/shm', '/run']
  assert.equal(
    made.filter(folder => existsSync(join(folder, 'zugbruecke-escaped'))),
    [],
  )
  for (const file of ['/usr/bin/env', '/etc/passwd', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger'])
    assert.is(await opens(file, O_WRONLY), false, file)
  for (const file of ['/usr/bin/env', '/etc/passwd']) {
    assert.ok((await call(Call.unlinkat, AT_FDCWD, path(file), 0)) < 0)
    assert.ok((await call(Call.chmod, path(file), 0o777)) < 0)
    assert.ok((await call(Call.link, path(file), path('/tmp/hard'))) < 0)
  }
})

sandboxed("nobody's socket can be reached, Wine's own server's neither", async ({ call, outside, remove }) => {
  const places = [...outside, '/run', '/var/tmp', '/dev/shm'].map(folder => join(folder, `zb-test-${process.pid}.sock`))
  const abstract = `\0zb-test-${process.pid}`
  for (const place of [...places, abstract]) {
    const server = await listen(place).catch(() => undefined) // not everybody may write to all of them
    if (server) remove.push(() => server.close())
  }
  const ordinary = await CtypesSession.start()
  remove.push(() => void ordinary.terminate())
  const servers = readdirSync('/tmp')
    .filter(name => /^\.?wine-/.test(name))
    .flatMap(name => readdirSync(join('/tmp', name)).map(server => join('/tmp', name, server, 'socket')))
  assert.ok(servers.length > 0)
  const known = ['/run/docker.sock', '/run/dbus/system_bus_socket', '/tmp/.X11-unix/X0', '/run/systemd/private']
  for (const place of [...places, abstract, '\0/tmp/.X11-unix/X0', ...servers, ...known]) {
    const socket = await call(Call.socket, 1, 1, 0)
    assert.ok(socket >= 0)
    const address = unixAddress(place)
    assert.ok((await call(Call.connect, socket, address, address.length)) < 0, JSON.stringify(place))
    await call(Call.close, socket)
  }
})

sandboxed('processes outside are neither seen, nor looked into, nor ended', async ({ call, session }) => {
  const outer = [process.pid, process.ppid, session.pid as number]
  const range = Buffer.from(BigUint64Array.of(0x10000n, 8n).buffer)
  for (const pid of outer) {
    assert.ok((await call(Call.kill, pid, 0)) < 0, `${pid}`)
    assert.ok((await call(Call.ptrace, 16, pid, 0, 0)) < 0, `${pid}`)
    assert.ok((await call(Call.pidfdOpen, pid, 0)) < 0, `${pid}`)
    assert.ok((await call(Call.processVmRead, pid, range, 1, range, 1)) < 0, `${pid}`)
  }
})

sandboxed('there is no way out by mounts and namespaces', async ({ call }) => {
  const [none, tmpfs, proc] = ['none', 'tmpfs', '/proc'].map(path)
  assert.ok((await call(Call.mount, none, path('/tmp'), tmpfs, 0, 0)) < 0)
  assert.ok((await call(Call.mount, path('/'), path('/tmp'), none, 0x1000 | 0x20, 0)) < 0)
  assert.ok((await call(Call.umount, path('/tmp'), 2)) < 0)
  assert.ok((await call(Call.umount, proc, 2)) < 0)
  assert.ok((await call(Call.pivotRoot, path('/tmp'), path('/tmp'))) < 0)
  assert.ok((await call(Call.chroot, path('/tmp'))) < 0)
  assert.ok((await call(Call.openTree, AT_FDCWD, path('/'), 1)) < 0)
  assert.ok((await call(Call.fsopen, tmpfs, 0)) < 0)
  for (const flags of [0x10000000, 0x20000, 0x20000000, 0x40000000])
    assert.ok((await call(Call.unshare, flags)) < 0, flags.toString(16))
  const handle = Buffer.alloc(32)
  handle.writeUInt32LE(8)
  assert.ok((await call(Call.openByHandle, AT_FDCWD, handle, O_RDONLY)) < 0)
  const namespace = await call(Call.openat, AT_FDCWD, path('/proc/1/ns/mnt'), O_RDONLY)
  if (namespace >= 0) assert.ok((await call(Call.setns, namespace, 0)) < 0)
  assert.ok((await call(Call.mknod, path('/tmp/disk'), 0o60600, 0x800)) < 0)
})

sandboxed('what no namespace keeps apart is refused: keys, other kinds of sockets, rings', async ({ call, read }) => {
  const [EPERM, ENOSYS, EAFNOSUPPORT] = [-1, -38, -97]
  const [SESSION, USER, SEARCH] = [-3, -4, 10]
  assert.is(await call(Call.keyctl, SEARCH, SESSION, path('user'), path('secret'), 0), EPERM)
  assert.is(await call(Call.addKey, path('user'), path('secret'), path('x'), 1, USER), EPERM)
  assert.is((await read('/proc/keys')) || '', '')
  // vsock reaches the machine that this one runs on; AF_ALG, AF_PACKET and others reach the kernel
  for (const family of [40, 38, 17, 29, 44]) assert.is(await call(Call.socket, family, 1, 0), EAFNOSUPPORT, `${family}`)
  for (const family of [1, 2, 10]) assert.ok((await call(Call.socket, family, 1, 0)) >= 0, `${family}`)
  assert.is(await call(Call.ioUringSetup, 4, Buffer.alloc(120)), ENOSYS)
  // the same by another number, of programs with 32-bit pointers
  assert.is(await call(0x4000_0000 + Call.keyctl, SEARCH, SESSION, path('user'), path('secret'), 0), ENOSYS)
})

sandboxed("of Node's descriptors it has its own segment and bells alone", async ({ call, session }) => {
  const links: string[] = []
  for (let fd = 0; fd < 256; fd++) {
    const text = Buffer.alloc(512)
    const length = await call(Call.readlink, path(`/proc/1/fd/${fd}`), text, text.length)
    if (length >= 0) links.push(text.subarray(0, length).toString())
  }
  assert.ok(links.length > 10)
  assert.not.match(links.join(), /\.ssh|eventpoll|inotify|io_uring|eventfd/)
  // what both have, seen from outside
  const nodes = new Set(identities(process.pid))
  const shared = new Set(identities(session.pid as number).filter(id => nodes.has(id)))
  // the segment, a pipe for each bell (the host's two, and those of six threads), and what every process has
  assert.equal(
    [...shared].filter(id => !/^(memfd|pipe)/.test(id) && !id.startsWith('/dev/null')),
    [],
  )
  assert.is([...shared].filter(id => id.startsWith('memfd')).length, 1)
  assert.is([...shared].filter(id => id.startsWith('pipe')).length, 8)
})

sandboxed("the program's environment is in no process that it sees", async ({ call, read }) => {
  assert.is((await call(Call.openat, AT_FDCWD, path('/proc'), O_DIRECTORY)) >= 0, true)
  let seen = 0
  for (let pid = 1; pid < 200; pid++) {
    const environment = await read(`/proc/${pid}/environ`)
    if (environment) seen++
    assert.not.match(environment ?? '', SECRET)
  }
  assert.ok(seen > 1)
})

test.run()
