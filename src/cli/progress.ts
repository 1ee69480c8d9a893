/** Shows the steps of set-up: bars on a terminal, plain lines elsewhere. Writes to stderr, so that stdout is for results. */
import { Presets, SingleBar } from 'cli-progress'
import type { Progress, Step } from '../runtime/progress.js'

const mib = (bytes: number) => (bytes / 1e6).toFixed(1)

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function barStep(title: string, unit: 'bytes' | 'steps'): Step {
  const numbers = unit === 'bytes' ? '{mb} of {mbs} MB' : '{percentage} %'
  const bar = new SingleBar(
    {
      format: `{bar} ${numbers} · {title}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  )
  const payload = (done: number, total = 0) => ({ title, mb: mib(done), mbs: total ? mib(total) : '?' })
  const end = (outcome: string) => {
    for (const signal of interruptions) process.off(signal, interrupted)
    bar.stop()
    process.stderr.write(`${title}: ${outcome}\n`)
  }
  // A bar hides the cursor: whoever interrupts it wants that back.
  const interrupted = (signal: NodeJS.Signals) => {
    end('interrupted; run it again, and it goes on from there')
    process.kill(process.pid, signal)
  }
  for (const signal of interruptions) process.once(signal, interrupted)
  bar.start(1, 0, payload(0))
  return {
    advance(done, total) {
      bar.setTotal(total ?? Math.max(1, done * 2))
      bar.update(done, payload(done, total))
    },
    end,
  }
}

function lineStep(title: string, unit: 'bytes' | 'steps'): Step {
  process.stderr.write(`${title} …\n`)
  let shown = 0
  return {
    advance(done, total) {
      // A line for each quarter: enough to see that it moves, little enough for a log.
      const quarter = total ? Math.floor((done / total) * 4) : 0
      if (quarter <= shown || quarter >= 4) return
      shown = quarter
      process.stderr.write(`  ${quarter * 25} %${unit === 'bytes' && total ? ` of ${mib(total)} MB` : ''}\n`)
    },
    end(outcome) {
      process.stderr.write(`${title}: ${outcome}\n`)
    },
  }
}

export const terminalProgress: Progress = {
  line(text) {
    process.stderr.write(`${text}\n`)
  },
  step: (title, unit) => (process.stderr.isTTY ? barStep(title, unit) : lineStep(title, unit)),
}
