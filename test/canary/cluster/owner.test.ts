import { describe, expect, it } from 'vitest'
import { otherWritersOf, ownerOf } from '../../../src/canary/cluster/owner.ts'

describe('ownerOf', () => {
  const manager = (name: string) => ({
    name: 'r',
    managedFields: [{ manager: name, operation: 'Update', fieldsV1: { 'f:spec': {} } }],
  })
  it.each([
    ['Argo CD', { name: 'r', annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }],
    ['Argo CD', { name: 'r', labels: { 'argocd.argoproj.io/instance': 'x' } }],
    ['Argo CD', manager('argocd-controller')],
    ['Flux', { name: 'r', labels: { 'helm.toolkit.fluxcd.io/name': 'x' } }],
    ['Flux', { name: 'r', labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }],
    ['Flux', manager('kustomize-controller')],
    ['Flagger', manager('flagger')],
    ['Flagger', { name: 'r', ownerReferences: [{ kind: 'Canary' }] }],
    ['Flagger', { name: 'r', labels: { 'app.kubernetes.io/managed-by': 'flagger' } }],
    ['Flagger', { ...manager('flagger'), annotations: { 'helm.toolkit.fluxcd.io/driftDetection': 'disabled' } }],
    ['Argo Rollouts', manager('rollouts-controller')],
    ['Argo Rollouts', manager('gatewayAPI')],
    ['Argo Rollouts', { name: 'r', labels: { 'rollouts.argoproj.io/gatewayapi-canary': 'in-progress' } }],
    ['Argo Rollouts', { name: 'r', annotations: { 'rollout.argoproj.io/revision': '1' } }],
    ['Argo Rollouts', { name: 'r', ownerReferences: [{ kind: 'Rollout' }] }],
  ])('finds %s in %j', (name, metadata) => {
    expect(ownerOf(metadata)?.name).toBe(name)
  })

  it.each(['helm', 'helm-controller', 'traefik', 'kubectl-patch', 'envoy-gateway', 'kube-controller-manager'])(
    'leaves %s alone',
    (name) => {
      const labels = { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': 'devops-api-stable' }
      expect(ownerOf({ ...manager(name), labels })).toBeUndefined()
    },
  )

  it('is not the same as a stranger, who writes the spec by hand', () => {
    const fieldsV1 = { 'f:spec': {} }
    const managedFields = [
      { manager: 'helm', fieldsV1 },
      { manager: 'traefik', subresource: 'status', fieldsV1 },
      { manager: 'kubectl-annotate', fieldsV1: { 'f:metadata': {} } },
      { manager: 'kubectl-patch', fieldsV1 },
    ]
    expect(otherWritersOf({ name: 'r', managedFields })).toEqual(['kubectl-patch'])
    const helms = ['helm', 'helm3', 'helm.exe', 'helm-controller', 'helmet'].map((manager) => ({
      manager,
      fieldsV1: { 'f:spec': {} },
    }))
    expect(otherWritersOf({ name: 'r', managedFields: helms })).toEqual(['helmet'])
  })
})
