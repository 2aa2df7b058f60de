import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { HttpError } from './plugins/errors.ts'

const Z_99 = 2.3263478740408408 // the standard normal distribution's 99th percentile

/** The most that a delay may be, as a multiple of the 99th percentile: the tail of the distribution outlasts every client's patience. */
const MOST = 10

const MIB = 1024 ** 2

/**
 * A latency in milliseconds: log-normal, as measured ones tend to be, with the median and the 99th percentile asked for; without
 * a percentile always the median; never more than 10 times the percentile. `random` gives numbers from 0 up to, but not including, 1.
 */
export function drawDelay(median: number, p99 = median, random = Math.random): number {
  // Box–Muller; the logarithm of 0 is infinite, and 1 - random() is never 0.
  const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.min(median * (p99 / median) ** (z / Z_99), MOST * p99)
}

/**
 * Makes the routes of `app` slow and unreliable, as configured: each request is delayed first, then perhaps failed, and its reply perhaps
 * cut off.
 */
export function faults(app: FastifyInstance): void {
  const { FAULT_ERROR_RATE, FAULT_ERROR_STATUS, FAULT_DELAY_MS, FAULT_DELAY_P99_MS, FAULT_RESET_RATE } = app.config
  if (FAULT_DELAY_MS > 0) {
    app.addHook('preHandler', async () => {
      // A delay that outlasted the shutdown would turn into a lost request.
      await sleep(drawDelay(FAULT_DELAY_MS, FAULT_DELAY_P99_MS), undefined, { signal: app.stopping }).catch(() => {})
    })
  }
  if (FAULT_ERROR_RATE > 0) {
    app.addHook('preHandler', async () => {
      if (Math.random() < FAULT_ERROR_RATE) throw new HttpError(FAULT_ERROR_STATUS, 'injected fault')
    })
  }
  if (FAULT_RESET_RATE > 0) {
    app.addHook('onSend', async ({ raw }, reply, payload) => {
      if (Math.random() >= FAULT_RESET_RATE) return payload
      const body = Buffer.from(payload as string)
      // As if all of it came, which is what the metrics say as well: a service does not see what becomes of a reply.
      reply.header('content-length', body.length)
      return Readable.from(cutOff(body, () => raw.socket.resetAndDestroy()))
    })
  }
}

async function* cutOff(body: Buffer, reset: () => void) {
  yield body.subarray(0, body.length / 2)
  // Not before the half is on its way.
  setImmediate(reset)
  await new Promise(() => {})
}

/** Makes the process ill, as configured: it grows, or ends as if by a bug, with nothing in good order. */
export function illness(app: FastifyInstance): void {
  const { FAULT_CRASH_AFTER_MS, FAULT_LEAK_MIB_PER_S } = app.config
  if (FAULT_CRASH_AFTER_MS > 0) {
    const timer = setTimeout(() => {
      app.logger.fatal('injected fault: crash')
      process.exit(1)
    }, FAULT_CRASH_AFTER_MS)
    app.addHook('preClose', async () => clearTimeout(timer))
  }
  if (FAULT_LEAK_MIB_PER_S > 0) {
    const leaked: Buffer[] = []
    // Filled, because memory that nobody has written to takes no room.
    const timer = setInterval(() => leaked.push(Buffer.alloc((FAULT_LEAK_MIB_PER_S * MIB) / 10, 1)), 100)
    app.addHook('preClose', async () => clearInterval(timer))
  }
}
