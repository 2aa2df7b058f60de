import { namespace, sh } from '../e2e/cluster.ts'
import { blocks, readmeOf } from '../markdown.ts'

/** Runs the commands under a heading of an integration's README, in the tests' namespace, and returns what they print. */
export async function follow(integration: string, heading: string): Promise<string> {
  const scripts = blocks(heading, readmeOf(`integrations/${integration}`)).filter(({ language }) => language === 'sh')
  if (scripts.length === 0) throw new Error(`the README of ${integration} has no commands under "${heading}"`)
  const printed: string[] = []
  for (const { text } of scripts) printed.push(await sh(text.replaceAll('-n devops-api', `-n ${namespace}`)))
  return printed.join('\n')
}
