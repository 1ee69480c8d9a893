/** What each peer is asked. */
import { CALL_GROUPS, GROUPS, type Group, type Measure, type Side } from '../model.js'
import { onOneCore, wineServers } from './affinity.js'
import type { Peer } from './peer.js'
import type { Peers } from './peers.js'

export const SIDE_NAMES: Readonly<Record<Side, string>> = {
  zugbruecke: 'zugbruecke',
  c: 'C loop in the DLL',
  koffi: 'koffi in Windows Node',
  ctypes: 'ctypes in Windows Python',
  python: 'Python project',
  'python-pinned': 'Python project, one core',
  win64: 'zugbruecke, 64 bits',
}

function call(group: Group, side: Side, peer: Peer, rest: Partial<Measure> = {}): Measure {
  return {
    id: `${group}-${side}`,
    group,
    side,
    label: SIDE_NAMES[side],
    unit: 'us',
    async run(seconds) {
      const { us_per_call, calls } = await (side === 'python-pinned'
        ? onOneCore(wineServers(), () => peer.measure(group, seconds)) // started on one core itself, but not what it talks to
        : peer.measure(group, seconds))
      return { value: us_per_call, extra: { calls } }
    },
    ...rest,
  }
}

export function peerMeasures(peers: Peers): Measure[] {
  const measures: Measure[] = []
  for (const [side, peer] of peers.running) {
    if (side === 'win64') continue
    for (const group of CALL_GROUPS) measures.push(call(group, side, peer))
  }
  const wide = peers.running.get('win64')
  for (const measure of wide?.measures ?? []) {
    measures.push({
      ...measure,
      id: `${measure.id}-win64`,
      side: 'win64',
      label: `${measure.label}, 64 bits`,
      run: async seconds => ({ value: Number((await (wide as Peer).measure(measure.id, seconds)).value) }),
    })
  }
  const ctypes = peers.running.get('ctypes')
  if (ctypes) measures.push(call('crash', 'ctypes', ctypes))
  const python = peers.running.get('python')
  if (python) {
    measures.push(call('start', 'python', python, { rounds: 2 }))
    measures.push(
      call('memory', 'python', python, {
        label: 'Python project, Windows side',
        unit: 'MB',
        rounds: 1,
        run: async () => ({ value: Number((await python.measure('memory', 0)).windows_kib) / 1024 }),
      }),
    )
    for (const count of [1, 2]) {
      measures.push(
        call('curve', 'python', python, {
          id: `curve-python-${count}`,
          label: `Python project, ${count} session${count > 1 ? 's' : ''}`,
          unit: '/s',
          rounds: 1,
          run: async seconds => ({ value: Number((await python.measure(`curve:${count}`, seconds)).calls_per_s) }),
        }),
      )
    }
  }
  const order = Object.keys(GROUPS)
  return measures.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group))
}
