/** How set-up tells what it does; the command line shows it (`cli/progress.ts`), a program may ignore it. */

export interface Step {
  /** `done` of `total`; without a total the end is unknown. */
  advance(done: number, total?: number): void
  /** Ends the step, with what came of it. */
  end(outcome: string): void
}

export interface Progress {
  line(text: string): void
  step(title: string, unit: 'bytes' | 'steps'): Step
}

export const noProgress: Progress = {
  line() {},
  step: () => ({ advance() {}, end() {} }),
}
