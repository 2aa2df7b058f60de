{{/* The same for both of a pair. In a parent chart, the alias takes the name's place, and each of two needs one of its own. */}}
{{- define "devops-api.name" -}}
{{ ternary .Chart.Name (trimSuffix (printf "-%s" .Values.role) .Chart.Name) .Chart.IsRoot }}
{{- end }}

{{/* As Chart.yaml has it: nothing else tells an alias from it. */}}
{{- define "devops-api.nameWithoutAlias" -}}
devops-api
{{- end }}

{{/* From the chart and the role alone, so that the route can name canary's Service without knowing its release. */}}
{{- define "devops-api.fullname" -}}
{{ include "devops-api.name" . }}-{{ .Values.role }}
{{- end }}

{{/* A Deployment's selector can never change, so nothing belongs here that any value but the role decides. */}}
{{- define "devops-api.selectorLabels" -}}
app: {{ include "devops-api.fullname" . }}
role: {{ .Values.role }}
{{- end }}

{{/* Pods carry these too: the chart's version would restart them when nothing in them has changed. */}}
{{- define "devops-api.standardLabels" -}}
{{- $version := regexReplaceAll "[^A-Za-z0-9._-]" (include "devops-api.version" .) "-" -}}
app.kubernetes.io/name: {{ include "devops-api.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ $version | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "devops-api.labels" -}}
{{ include "devops-api.selectorLabels" . }}
{{ include "devops-api.standardLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* The namespace is for what is rendered and applied without Helm; where `helm template` was told none, kubectl may be. */}}
{{- define "devops-api.namespace" -}}
{{ if ne .Release.Namespace "default" }}namespace: {{ .Release.Namespace | quote }}{{ end }}
{{- end }}

{{/* Of every object but the pods; labels come last, so that more can follow. */}}
{{- define "devops-api.metadata" -}}
name: {{ include "devops-api.fullname" . }}
{{- with include "devops-api.namespace" . }}
{{ . }}
{{- end }}
labels:
  {{- include "devops-api.labels" . | nindent 2 }}
{{- end }}

{{- define "devops-api.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* global.imageRegistry takes the place of the registry, which is what has a dot, a port or the name localhost. */}}
{{- define "devops-api.repository" -}}
{{- $repository := .Values.image.repository }}
{{- with (.Values.global).imageRegistry }}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") }}
{{- end }}
{{- $repository }}
{{- end }}

{{/* Not every container runtime takes a tag and a digest together. */}}
{{- define "devops-api.image" -}}
{{- include "devops-api.repository" . }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ include "devops-api.tag" . }}{{ end }}
{{- end }}

{{/* What GET /version says. */}}
{{- define "devops-api.version" -}}
{{- if hasKey .Values.env "DEVOPSAPI_VERSION" -}}
{{ .Values.env.DEVOPSAPI_VERSION }}
{{- else -}}
v{{ include "devops-api.tag" . | trimPrefix "v" }}
{{- end }}
{{- end }}

{{/* "true" or empty: whether Helm decides how requests are split, and not another controller. */}}
{{- define "devops-api.ownsRoute" -}}
{{ if and .Values.gateway.enabled .Values.gateway.route }}true{{ end }}
{{- end }}

{{/* "true" or empty: whether canary's Service is there; empty without a cluster, as in `helm template`, where values alone decide. */}}
{{- define "devops-api.hasCanary" -}}
{{ if lookup "v1" "Service" .Release.Namespace (printf "%s-canary" .Chart.Name) }}true{{ end }}
{{- end }}

{{/* What the route is configured to, as it announces and the canary CLI reads it. */}}
{{- define "devops-api.split" -}}
stable={{ int64 .Values.traffic.stable }}, canary={{ int64 .Values.traffic.canary }}
{{- end }}

{{/* A Host header that the route answers to; empty means any. */}}
{{- define "devops-api.host" -}}
{{ with first .Values.gateway.hostnames }}{{ replace "*" "any" . }}{{ end }}
{{- end }}

{{/* Where the test reaches the gateway, if known. Only the release's own is looked up: where reading is forbidden, Helm fails. */}}
{{- define "devops-api.testAddress" -}}
{{- if .Values.test.gatewayAddress -}}
{{ .Values.test.gatewayAddress }}
{{- else if and (include "devops-api.ownsRoute" .) .Values.gateway.create }}
{{- $live := lookup "gateway.networking.k8s.io/v1" "Gateway" .Release.Namespace (include "devops-api.fullname" .) }}
{{- with dig "status" "addresses" (list) $live }}
{{- $address := (first .).value -}}
{{ contains ":" $address | ternary (printf "[%s]" $address) $address }}:{{ int $.Values.gateway.listener.port }}
{{- end }}
{{- end }}
{{- end }}

{{/* What to do about a gateway that the test does not ask; empty where it does, and where there is no route. */}}
{{- define "devops-api.unasked" -}}
{{- if and (include "devops-api.ownsRoute" .) (not (include "devops-api.testAddress" .)) -}}
The gateway is not asked, because its address is not known: set test.gatewayAddress to its host:port
{{- if .Values.gateway.create }}, or repeat helm upgrade once the Gateway has an address{{ end }}.
{{- end }}
{{- end }}

{{/* Shared by the service's pods and the test's; with the container below, the restricted Pod Security Standard. */}}
{{- define "devops-api.podSpec" -}}
{{- $existing := .Values.serviceAccount.name | default "default" -}}
serviceAccountName: {{ ternary (include "devops-api.fullname" .) $existing .Values.serviceAccount.create | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAsUser }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "devops-api.container" -}}
image: {{ include "devops-api.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}
