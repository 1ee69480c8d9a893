/** What this library runs on: one clear error elsewhere. */
import { SetupError } from '../errors.js'

const oldestNode = 20

export const nodeProblem = (node: string): string | undefined =>
  Number.parseInt(node, 10) < oldestNode
    ? `zugbruecke needs Node.js ${oldestNode} or later; this is ${node}.`
    : undefined

/** What is wrong with this machine or Node, in words; `undefined` where nothing is. */
export function platformProblem(
  platform: string = process.platform,
  cpu: string = process.arch,
  node: string = process.versions.node,
): string | undefined {
  if (platform !== 'linux' || cpu !== 'x64')
    return `zugbruecke runs on Linux on x86-64 only; this is ${platform} on ${cpu}.`
  return nodeProblem(node)
}

/** Throws `SetupError` on anything but Linux x86-64 with a Node that is new enough. */
export function assertPlatform(): void {
  const problem = platformProblem()
  if (problem) throw new SetupError(problem)
}
