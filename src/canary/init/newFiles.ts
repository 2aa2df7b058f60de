import type { ReleaseNames } from '../roles.ts'
import type { Files } from '../values/withFiles.ts'

/** What a canary-ready chart has that another one has not. */
export interface Wanted {
  readonly names: ReleaseNames
  /** What each release calls its Service, and the port of it that gets requests. */
  readonly services: ReleaseNames
  readonly port: number
  /** The Gateway that takes the route. */
  readonly gateway: { readonly name: string; readonly namespace: string | undefined }
  readonly hostnames: readonly string[]
  /** The tag that both begin with; undefined where the chart's values have no image.tag. */
  readonly tag: string | undefined
}

export const ROUTE = 'templates/canary-route.yaml'

/** The files of a canary-ready chart, by their path in it: one route template and two values files. */
export const newFiles = (wanted: Wanted): Files => ({
  [ROUTE]: route(wanted),
  'values-stable.yaml': valuesOfStable(wanted),
  'values-canary.yaml': valuesOfCanary(wanted),
})

function route({ names, services, port }: Wanted): string {
  // In a release of whatever name that ends in -stable.
  const [before = '', after = ''] = services.stable.split(names.stable)
  const service = (role: string) => `${before}{{ trimSuffix "-stable" $.Release.Name }}-${role}${after}`
  const backend = (role: 'stable' | 'canary') => `        {{- with int64 $.Values.traffic.${role} }}
        - group: ""
          kind: Service
          name: ${service(role)}
          port: ${port}
          weight: {{ . }}
          {{- with $.Values.gateway.roleHeader }}
          filters:
            - type: ResponseHeaderModifier
              responseHeaderModifier:
                set:
                  - name: {{ . | quote }}
                    value: ${role}
          {{- end }}
        {{- end }}`
  return `{{- /* Splits requests between two releases of this chart. Stable owns it: canary's values have no traffic. */ -}}
{{- if .Values.traffic }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ .Release.Name }}
spec:
  parentRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: {{ .Values.gateway.name | quote }}
      {{- with .Values.gateway.namespace }}
      namespace: {{ . | quote }}
      {{- end }}
  {{- with .Values.gateway.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - backendRefs:
${backend('stable')}
${backend('canary')}
{{- end }}
`
}

function valuesOfStable({ gateway: { name, namespace }, hostnames, tag }: Wanted): string {
  const where = [`  name: ${JSON.stringify(name)}`, ...(namespace ? [`  namespace: ${JSON.stringify(namespace)}`] : [])]
  const hosts = hostnames.length > 0 ? ['  hostnames:', ...hostnames.map((host) => `    - ${JSON.stringify(host)}`)] : []
  const role = [
    '  # Has the route say in each reply whose it is; without this line, the application must.',
    '  roleHeader: app-role',
  ]
  return [...['traffic:', '  stable: 100', '  canary: 0'], ...imageLines(tag), 'gateway:', ...where, ...hosts, ...role, ''].join(
    '\n',
  )
}

const valuesOfCanary = ({ tag }: Wanted) =>
  [...(tag === undefined ? ['# What canary has, and stable gets by a promotion.', '{}'] : imageLines(tag)), ''].join('\n')

const imageLines = (tag: string | undefined) => (tag === undefined ? [] : ['image:', `  tag: ${JSON.stringify(tag)}`])
