import { expect } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { namespace, run } from './cluster.ts'

export interface Rendered {
  apiVersion: string
  kind: string
  metadata: { name: string; annotations?: Record<string, string> }
  spec?: object
}

export const parseRendered = (text: string): Rendered[] => parseAllDocuments(text).map((document) => document.toJS())

export async function live({ kind, metadata }: Rendered): Promise<Rendered> {
  return JSON.parse(await run(`kubectl get ${kind} ${metadata.name} -n ${namespace} -o json`))
}

/** Tries again where a controller wrote, such as a status, between the two reads that kubectl compares. */
async function expectNoDifference(text: string, fieldManager: string): Promise<void> {
  try {
    // Its exit code says whether there is a difference.
    await run(`kubectl diff --server-side --force-conflicts --field-manager=${fieldManager} -n ${namespace} -f -`, text)
  } catch (error) {
    if (!/^- +resourceVersion: /m.test(String(error))) throw error
    await expectNoDifference(text, fieldManager)
  }
}

/**
 * Expects that the API server holds what was rendered, as GitOps controllers compare the two.
 * @param fieldManager who applied exactly this, and nothing beside it; Helm adds annotations of its own
 */
export async function expectNoDrift(text: string, fieldManager = 'kubectl'): Promise<void> {
  await expectNoDifference(text, fieldManager)
  for (const object of parseRendered(text)) {
    if (!object.apiVersion.startsWith('gateway.networking.k8s.io/')) continue
    // A default within a list, which kubectl overlooks, is a difference to Argo CD: it compares lists of custom resources whole.
    expect((await live(object)).spec, `${object.kind} ${object.metadata.name}`).toEqual(object.spec)
  }
}
