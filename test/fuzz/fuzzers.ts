/** All of them: each reads what comes from outside. */
import { answers } from './answers.js'
import { CONFIG } from './config.js'
import type { Fuzzer } from './fuzzer.js'
import { HEADER } from './header.js'
import * as pe from './pe.js'

export const FUZZERS = [pe.changed, pe.cut, ...CONFIG, ...HEADER, answers] as readonly Fuzzer[]
