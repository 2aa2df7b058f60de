{{/* What values.schema.json cannot check, or could not explain: each message names the value, what it is and what to do. */}}
{{- define "devops-api.validate" -}}
{{- $name := include "devops-api.fullname" . }}
{{- $traffic := .Values.traffic }}
{{- $gateway := .Values.gateway }}
{{- $account := .Values.serviceAccount }}
{{- $stable := int64 $traffic.stable }}
{{- $canary := int64 $traffic.canary }}
{{- $ownsRoute := include "devops-api.ownsRoute" . }}
{{- $noRoute := ternary "gateway.route" "gateway.enabled" $gateway.enabled }}

{{- $alias := .Chart.Name }}
{{- if not (or .Chart.IsRoot (eq $alias (include "devops-api.nameWithoutAlias" .)) (hasSuffix (printf "-%s" .Values.role) $alias)) }}
{{- include "devops-api.refuse" (list
  (printf "alias is %q in the parent chart, but both of a pair must find each other by it." $alias)
  (printf "Write alias: NAME-%s here, with the same NAME in the other's." .Values.role)) }}
{{- end }}

{{- if and (eq $stable 0) (eq $canary 0) }}
{{- include "devops-api.refuse" (list
  "traffic.stable and traffic.canary are both 0, so nobody would answer."
  "Give at least one of them a weight above 0.") }}
{{- end }}

{{- if and (eq .Values.role "canary") $gateway.enabled }}
{{- include "devops-api.refuse" (list
  "gateway.enabled is true, but role is canary, and the route belongs to stable alone."
  "Set it to false here.") }}
{{- end }}

{{- if and (eq .Values.role "canary") (or (ne $stable 100) (ne $canary 0)) }}
{{- include "devops-api.refuse" (list
  (printf "traffic.stable is %d and traffic.canary is %d, but role is canary, and only stable moves traffic." $stable $canary)
  "Set them in the values of stable.") }}
{{- end }}

{{- range $key := list "preview" "announce" }}
{{- if and (get $traffic $key) (not $ownsRoute) }}
{{- include "devops-api.refuse" (list
  (printf "traffic.%s is true, but %s is false, and without a route it does nothing." $key $noRoute)
  "Set it in the values of the release that owns the route.") }}
{{- end }}
{{- end }}

{{- if and .Values.test.gatewayAddress (not $ownsRoute) }}
{{- include "devops-api.refuse" (list
  (printf "test.gatewayAddress is %q, but %s is false, and without a route there is no split to judge." .Values.test.gatewayAddress $noRoute)
  "Set it in the values of the release that owns the route.") }}
{{- end }}

{{- if and $gateway.enabled (not $gateway.create) (not $gateway.name) }}
{{- include "devops-api.refuse" (list
  "gateway.create is false, but gateway.name is empty."
  "Name the Gateway to attach to.") }}
{{- end }}

{{- if and $gateway.enabled (not $gateway.create) (not $gateway.route) }}
{{- include "devops-api.refuse" (list
  "gateway.enabled is true, but gateway.create and gateway.route are both false, so there is nothing to create."
  "Set gateway.enabled to false.") }}
{{- end }}

{{- if and $ownsRoute (not .Values.service.enabled) }}
{{- include "devops-api.refuse" (list
  "service.enabled is false, so the route would send requests to a Service that is not there."
  "Set gateway.route to false as well, for a controller that makes both.") }}
{{- end }}

{{- range $key := list "name" "namespace" "sectionName" }}
{{- if and $gateway.enabled $gateway.create (get $gateway $key) }}
{{- include "devops-api.refuse" (list
  (printf "gateway.%s is %q, but gateway.create is true, and the created Gateway is called %s." $key (get $gateway $key) $name)
  "Set gateway.create to false to attach to another.") }}
{{- end }}
{{- end }}

{{- if and $account.create $account.name }}
{{- include "devops-api.refuse" (list
  (printf "serviceAccount.name is %q, but serviceAccount.create is true, and the created one is called %s." $account.name $name)
  "Set serviceAccount.create to false to use another.") }}
{{- end }}

{{- $set := list "HOST" "PORT" "DEVOPSAPI_ROLE" "DEVOPSAPI_POD" }}
{{- $read := list "DEVOPSAPI_VERSION" "FAULT_ERROR_RATE" "FAULT_ERROR_STATUS" "FAULT_DELAY_MS" "FAULT_DELAY_P99_MS" "FAULT_READY_AFTER_MS" "FAULT_RESET_RATE" "FAULT_CRASH_AFTER_MS" "FAULT_LEAK_MIB_PER_S" }}
{{- range $key, $value := .Values.env }}
{{- if has $key $set }}
{{- include "devops-api.refuse" (list
  (printf "env.%s is %q, but the chart decides it, because probes, Service and route rely on it." $key $value)
  "Leave it out.") }}
{{- end }}
{{- if and (regexMatch "^(DEVOPSAPI|FAULT)_" $key) (not (has $key $read)) }}
{{- include "devops-api.refuse" (list
  (printf "env.%s is %q, but the service reads no such name." $key $value)
  (printf "It reads %s." (join ", " $read))) }}
{{- end }}
{{- end }}

{{- $repository := include "devops-api.repository" . }}
{{- if not (regexMatch "^([A-Za-z0-9.-]+(:[0-9]+)?/|\\[[0-9A-Fa-f:]+\\](:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$" $repository) }}
{{- $source := ternary "global.imageRegistry and image.repository make" "image.repository makes" (not (empty (.Values.global).imageRegistry)) }}
{{- include "devops-api.refuse" (list
  (printf "%s the name %q, which no image can have." $source $repository)
  "Leave out a scheme, and give a tag or a digest as image.tag or image.digest.") }}
{{- end }}

{{- $tag := include "devops-api.tag" . }}
{{- if not (or .Values.image.digest (regexMatch "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$" $tag)) }}
{{- include "devops-api.refuse" (list
  (printf "image.tag is empty, and the chart's appVersion is %q, which no tag can be." $tag)
  "Give image.tag or image.digest.") }}
{{- end }}

{{- $version := include "devops-api.version" . }}
{{- if not (regexMatch "^[!-~]([ -~]{0,126}[!-~])?$" $version) }}
{{- $source := ternary "env.DEVOPSAPI_VERSION" "image.tag" (hasKey .Values.env "DEVOPSAPI_VERSION") }}
{{- include "devops-api.refuse" (list
  (printf "%s makes the version %q, which no header can carry." $source $version)
  "Use 1 to 128 printable ASCII characters, without a space at either end.") }}
{{- end }}

{{- range $path, $labels := dict "podLabels" .Values.podLabels "podMonitor.labels" .Values.podMonitor.labels }}
{{- range $key, $value := $labels }}
{{- if hasKey (include "devops-api.labels" $ | fromYaml) $key }}
{{- include "devops-api.refuse" (list
  (printf "%s.%s is %q, but the chart sets that label itself." $path $key $value)
  "Choose another name.") }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The service drains for at most 10 seconds. */}}
{{- $sleep := int64 .Values.preStopSleepSeconds }}
{{- $grace := int64 .Values.terminationGracePeriodSeconds }}
{{- if ge (add $sleep 10) $grace }}
{{- include "devops-api.refuse" (list
  (printf "preStopSleepSeconds is %d and the service may drain for 10 more, but terminationGracePeriodSeconds is %d:" $sleep $grace)
  (printf "replies would be cut off. Raise it to at least %d, or lower preStopSleepSeconds." (add $sleep 11))) }}
{{- end }}

{{- $minimum := int64 .Values.autoscaling.minReplicas }}
{{- $maximum := int64 .Values.autoscaling.maxReplicas }}
{{- if gt $minimum $maximum }}
{{- include "devops-api.refuse" (list
  (printf "autoscaling.minReplicas is %d, but autoscaling.maxReplicas is %d." $minimum $maximum)
  "Swap them, or raise the maximum.") }}
{{- end }}

{{- $cpu := toString ((.Values.resources.requests).cpu | default (.Values.resources.limits).cpu | default 0) }}
{{- if and .Values.autoscaling.enabled (regexMatch "^0m?$" $cpu) }}
{{- include "devops-api.refuse" (list
  "autoscaling.enabled is true, but resources.requests.cpu is not given, of which the autoscaler takes a percentage."
  "Give it, such as 100m.") }}
{{- end }}
{{- end }}

{{- define "devops-api.refuse" -}}
{{ fail (printf "\n\n%s\n" (join " " .)) }}
{{- end }}
