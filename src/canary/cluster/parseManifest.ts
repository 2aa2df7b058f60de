import { parseAllDocuments } from 'yaml'

/** An object as Helm renders it. */
export interface RenderedObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [key: string]: unknown
}

const known = new Map<string, readonly RenderedObject[]>()

/** The objects of a manifest, as Kubernetes reads them. The same text comes with each look at the cluster, and is parsed once. */
export function parseManifest(manifest: string): readonly RenderedObject[] {
  const objects =
    known.get(manifest) ??
    parseAllDocuments(manifest, { version: '1.1', merge: true, logLevel: 'silent' }).flatMap(
      (document) => (document.toJS() as RenderedObject | null) ?? [],
    )
  known.set(manifest, objects)
  return objects
}

/** What a release calls its object of a kind: as itself, where it has one of that name or none, else as its first of that kind. */
export function nameIn(objects: readonly RenderedObject[], kind: string, release: string): string {
  const names = objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name)
  return names.includes(release) ? release : (names[0] ?? release)
}
