/** One peer at work: a process that is asked "NAME SECONDS" and answers a line of JSON, and idles between. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measure } from '../model.js'
import { Missing } from './workshop.js'

export interface Answer {
  readonly name: string
  readonly us_per_call: number
  readonly calls: number
  readonly [more: string]: number | string
}

export interface PeerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where the peer writes its answers when it cannot write them to its standard output. */
  readonly answers?: string
}

interface Line {
  readonly ready?: boolean
  readonly missing?: string
  readonly versions?: Readonly<Record<string, string>>
  readonly measures?: Peer['measures']
}

const START_SECONDS = 60

export class Peer {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  #wake: (() => void) | undefined
  #ended: string | undefined
  #stderr = ''
  versions: Readonly<Record<string, string>> = {}
  /** What it can be asked, where it says so itself. */
  measures: readonly Omit<Measure, 'run'>[] = []

  private constructor(command: PeerCommand) {
    this.#child = spawn(command.command, command.args, {
      env: command.env,
      stdio: ['pipe', command.answers ? 'ignore' : 'pipe', 'pipe'],
    })
    this.#child.stderr?.on('data', chunk => {
      this.#stderr = (this.#stderr + chunk).slice(-2000)
    })
    this.#child.on('error', error => this.#end(error.message))
    this.#child.on('exit', code =>
      this.#end(`it ended with ${code}: ${this.#stderr.trim().split('\n').slice(-2).join(' / ')}`),
    )
    this.#child.stdin?.on('error', () => {})
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', line => this.#take(line))
    if (command.answers) void this.#follow(command.answers)
  }

  static async start(command: PeerCommand): Promise<Peer> {
    if (command.answers) await rm(command.answers, { force: true })
    const peer = new Peer(command)
    try {
      const first = (await peer.#next(START_SECONDS)) as Line
      if (!first.ready) throw new Missing(first.missing ?? 'it did not say that it is ready')
      peer.versions = first.versions ?? {}
      peer.measures = first.measures ?? []
      return peer
    } catch (error) {
      await peer.close()
      throw error
    }
  }

  /** Measures one slice; `Missing` when the peer has no such measure or has failed. */
  async measure(name: string, seconds: number): Promise<Answer> {
    if (this.#ended) throw new Missing(this.#ended)
    this.#child.stdin?.write(`${name} ${seconds}\n`)
    const answer = (await this.#next(seconds * 10 + 60)) as Line & Answer
    if (answer.missing) throw new Missing(answer.missing)
    return answer
  }

  /** Ends the process by ending its standard input, and by force after a while. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.pid) return
    const gone = new Promise<void>(resolve => this.#child.once('exit', () => resolve()))
    this.#child.stdin?.end()
    await Promise.race([gone, sleep(15_000, undefined, { ref: false }).then(() => this.#child.kill('SIGKILL'))])
  }

  async #next(seconds: number): Promise<unknown> {
    const limit = Date.now() + seconds * 1000
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return JSON.parse(line)
      if (this.#ended) throw new Missing(this.#ended)
      if (Date.now() > limit) {
        this.#end(`it did not answer within ${seconds} s`)
        this.#child.kill('SIGKILL')
      }
      await Promise.race([
        new Promise<void>(resolve => {
          this.#wake = resolve
        }),
        sleep(1000),
      ])
    }
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return // what a library prints
    this.#lines.push(line)
    this.#wake?.()
  }

  #end(reason: string): void {
    this.#ended ??= reason
    this.#wake?.()
  }

  async #follow(path: string): Promise<void> {
    while (!existsSync(path) && !this.#ended) await sleep(50)
    if (!existsSync(path)) return
    const file = await open(path)
    let pending = ''
    const chunk = Buffer.alloc(65536)
    while (!this.#ended) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
      if (bytesRead === 0) {
        await sleep(20)
        continue
      }
      const lines = (pending + chunk.toString('utf8', 0, bytesRead)).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
    }
    await file.close()
  }
}
