interface ManagedFields {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  readonly fieldsV1?: Record<string, unknown>
}

/** Of an object in the cluster. */
export interface Metadata {
  readonly namespace?: string
  readonly name: string
  readonly generation?: number
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly ownerReferences?: readonly { readonly kind: string }[]
  readonly managedFields?: readonly ManagedFields[]
}

/** Another controller that decides over the objects, and what to do instead. */
export interface Owner {
  readonly name: string
  readonly instead: string
  /** Whether it moves traffic by objects of its own, so that weights in values files and a release of canary mean nothing. */
  readonly movesTraffic: boolean
}

const commit = 'edit with --files-only, and let it apply the commit'

/** Each with what it leaves on objects: keys of labels and annotations, names under which it writes, kinds that own. */
const owners: (Owner & { keys: RegExp; managers: RegExp; kinds?: RegExp })[] = [
  { name: 'Argo CD', instead: commit, movesTraffic: false, keys: /^argocd\.argoproj\.io\//, managers: /^argocd-/ },
  {
    name: 'Flux',
    instead: commit,
    movesTraffic: false,
    keys: /^(helm|kustomize)\.toolkit\.fluxcd\.io\//,
    // The name of the helm-controller stays on what it has given up.
    managers: /^kustomize-controller$/,
  },
  {
    name: 'Flagger',
    instead: 'move traffic by its Canary',
    movesTraffic: true,
    keys: /(^|\.)flagger\.app\//,
    managers: /^flagger$/,
    kinds: /^Canary$/,
  },
  {
    name: 'Argo Rollouts',
    instead: 'move traffic by its Rollout',
    movesTraffic: true,
    keys: /^(rollouts?\.argoproj\.io|argo-rollouts\.argoproj\.io)\//,
    managers: /^(rollouts-controller|argo-rollouts|gatewayapi(-plugin.*)?)$/i,
    kinds: /^Rollout$/,
  },
]

/** Who else owns an object, as far as its metadata tells. */
export function ownerOf({
  labels = {},
  annotations = {},
  ownerReferences = [],
  managedFields = [],
}: Metadata): Owner | undefined {
  // Flagger tells Flux in this way to leave its objects alone.
  const keys = Object.entries({ ...labels, ...annotations }).flatMap(([key, value]) => (value === 'disabled' ? [] : key))
  if (labels['app.kubernetes.io/managed-by'] === 'flagger') keys.push('flagger.app/')
  return owners.find(
    (owner) =>
      keys.some((key) => owner.keys.test(key)) ||
      managedFields.some(({ manager = '' }) => owner.managers.test(manager)) ||
      ownerReferences.some(({ kind }) => owner.kinds?.test(kind)),
  )
}

/** Helm gives the name of its own file, also where it is part of Flux. */
const HELM = /^helm([34]?(\.exe)?|-controller)$/

/** Who has written an object's spec beside Helm, such as "kubectl-patch". */
export const otherWritersOf = ({ managedFields = [] }: Metadata): string[] =>
  managedFields
    .filter(({ manager = '', subresource, fieldsV1 = {} }) => !HELM.test(manager) && !subresource && 'f:spec' in fieldsV1)
    .map(({ manager }) => manager ?? 'somebody unnamed')
