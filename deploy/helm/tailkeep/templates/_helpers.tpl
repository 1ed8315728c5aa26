{{- define "tailkeep.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "tailkeep.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tailkeep.labels" -}}
{{ include "tailkeep.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "tailkeep.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "tailkeep.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* The pod, the same on both stores but for where the records go. */}}
{{- define "tailkeep.pod" -}}
metadata:
  labels:
    {{- include "tailkeep.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .Values.podAnnotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "tailkeep.serviceAccount" . }}
  automountServiceAccountToken: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: tailkeep
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      env:
        - { name: TAILKEEP_GRPC_ADDR, value: "0.0.0.0:50051" }
        - { name: TAILKEEP_HTTP_ADDR, value: "0.0.0.0:9464" }
        - { name: TAILKEEP_CONFIG, value: /config/tailkeep.yaml }
        {{- if eq .Values.store.kind "mysql" }}
        - name: TAILKEEP_STORE
          valueFrom: { secretKeyRef: { name: {{ .Values.store.urlSecret.name | quote }}, key: {{ .Values.store.urlSecret.key | quote }} } }
        {{- else }}
        - { name: TAILKEEP_STORE, value: "sqlite:/data/tailkeep.db" }
        {{- end }}
        {{- if .Values.tls.secretName }}
        - { name: TAILKEEP_TLS_CERT, value: /tls/tls.crt }
        - { name: TAILKEEP_TLS_KEY, value: /tls/tls.key }
        {{- if .Values.tls.clientCaKey }}
        - { name: TAILKEEP_TLS_CLIENT_CA, value: {{ printf "/tls/%s" .Values.tls.clientCaKey | quote }} }
        {{- end }}
        {{- end }}
        {{- if .Values.allowUnprotected }}
        - { name: TAILKEEP_ALLOW_UNPROTECTED, value: "true" }
        {{- end }}
        {{- with .Values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        - { name: grpc, containerPort: 50051 }
        - { name: http, containerPort: 9464 }
      {{- $scheme := ternary "HTTPS" "HTTP" (ne .Values.tls.secretName "") }}
      # Ready: the store answers. Alive does not ask the store, for a restart does not bring a database back.
      readinessProbe:
        httpGet: { path: /readyz, port: http, scheme: {{ $scheme }} }
        periodSeconds: 5
        timeoutSeconds: 3
      livenessProbe:
        httpGet: { path: /healthz, port: http, scheme: {{ $scheme }} }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      startupProbe:
        httpGet: { path: /healthz, port: http, scheme: {{ $scheme }} }
        periodSeconds: 2
        failureThreshold: 60
      resources: {{ toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - { name: config, mountPath: /config, readOnly: true }
        - { name: tmp, mountPath: /tmp }
        {{- if eq .Values.store.kind "sqlite" }}
        - { name: data, mountPath: /data }
        {{- end }}
        {{- if .Values.tls.secretName }}
        - { name: tls, mountPath: /tls, readOnly: true }
        {{- end }}
  volumes:
    - { name: config, configMap: { name: {{ include "tailkeep.name" . }} } }
    - { name: tmp, emptyDir: { sizeLimit: 64Mi } }
    {{- if .Values.tls.secretName }}
    - { name: tls, secret: { secretName: {{ .Values.tls.secretName | quote }}, defaultMode: 0440 } }
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
