import { count } from '../format.ts'
import type { Sample } from '../sampling/sample.ts'

/** What a sample lacks of the rate that was asked for; nothing where it lacks none. */
export const unsentText = ({ unsent }: Sample): string[] =>
  unsent > 0 ? [`${count(unsent, 'request')} not sent, as all --connections were busy`] : []
