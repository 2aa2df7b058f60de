import { expect } from 'vitest'
import type { Role } from '../../src/canary/roles.ts'
import { poll } from './cluster.ts'
import { ask, type Reply } from './gateway.ts'

/** Sends `n` requests, so many at a time, each on a new connection. */
export async function sample(n: number, atATime = 10): Promise<Reply[]> {
  const replies: Reply[] = []
  let left = n
  const askAll = async () => {
    while (left-- > 0) replies.push(await ask())
  }
  await Promise.all(Array.from({ length: atATime }, askAll))
  return replies
}

export const share = (replies: Reply[], role: Role) => replies.filter((reply) => reply.role === role).length / replies.length

export const distinct = (values: string[]) => [...new Set(values)].sort()

/** Waits until a hundred replies are split as they should be, each of these answers among them, and returns when the first was asked for. */
export async function splitInForce(answers: string[], canary: number): Promise<number> {
  let since = 0
  await poll(async () => {
    since = performance.now()
    const replies = await sample(100)
    expect(distinct(replies.map(({ answer }) => answer))).toEqual(distinct(answers))
    const observed = share(replies, 'canary')
    expect(Math.abs(observed - canary), `canary's share is ${observed}, not ${canary}`).toBeLessThan(0.15)
  })
  return since
}
