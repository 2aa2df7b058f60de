// What each command prints with --json. docs/canary.schema.json is generated from here, comments included: "npm run docs".
// Every key is always there; what is not known, or does not apply, is null.

/**
 * @asType integer
 * @minimum 0
 */
type WholeNumber = number

/** How many, by name; beyond the first 20 names, all others are counted as "(others)". */
interface Counts {
  [name: string]: WholeNumber
}

type Role = 'stable' | 'canary'

/** One of the versions that answered; the same version in two roles is two. */
interface Source {
  /** What the reply says, where --version-from says; null where it says none. */
  version: string | null
  /** What the header of --role-from says, or what --canary-pods makes of the pod's name; null where nothing does. */
  role: string | null
  /** All replies, errors included. */
  replies: WholeNumber
  /** Replies that were errors, by kind, such as "500". */
  errors: Counts
  /** Replies by the name of the pod, as far as the header app-pod says it. */
  pods: Counts
  /** Replies that were errors, by the name of the pod that sent them. */
  podErrors: Counts
  /** Percentiles of the latency of the good replies, in milliseconds; null without any. At a rate, it counts from when a request was due. */
  latencyMs: {
    /** The median. */
    p50: number | null
    /** The 95th percentile. */
    p95: number | null
    /** The 99th percentile. */
    p99: number | null
  }
}

/** What became of a number of requests. */
interface Sample {
  /** All that were sent and have ended: whatever a request came to, it counts. */
  requests: WholeNumber
  /** Requests beside these that were due at the rate, but not sent, because all connections were busy. */
  unsent: WholeNumber
  /** Who answered. */
  sources: Source[]
  /** Requests that failed, and of which no reply says whose it is, by what came instead, such as "timeout" or "503 without a version". */
  failures: Counts
  /** Replies by the split that they announced in the header traffic-split. */
  announced: Counts
}

/** A part of the split: what a version, a role, or a version in a role should have of it. */
interface Expected {
  /** Null for any. */
  version: string | null
  /** Null for any. */
  role: Role | null
  /**
   * Of all requests, 0 to 1.
   * @minimum 0
   * @maximum 1
   */
  share: number
}

interface Gate {
  /** What is judged. */
  name: 'availability' | 'split' | 'canary health'
  /** What came of it. */
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE' | 'NOT APPLICABLE'
  /** One sentence, with the numbers. */
  reason: string
}

/** What "check --json" prints: a sample and its verdict. */
export interface CheckOutput {
  /** What was asked, the gateway or Prometheus, without user name and password. */
  url: string
  /** What the sample is of: requests of the command's own, or those that Prometheus counts. */
  from: 'own requests' | 'real traffic'
  /** The split to compare with; the shares add up to 1. */
  expectation: Expected[]
  /** Who said so. */
  expectationFrom: 'the caller' | 'the gateway' | 'the values files'
  /** What the verdict is about. */
  sample: Sample
  /**
   * What it was asked on: connections that were kept alive, or, where the gateway keeps each with one backend, one for each request; null
   * for real traffic.
   */
  connections: 'kept' | 'one for each request' | null
  /** How long the sample took. */
  seconds: number
  /** What may hide errors of a version, such as retries of the gateway, a line each; not known where no cluster was read. */
  mayHide: string[]
  /** FAIL where a gate does, else INCONCLUSIVE where a gate is, else PASS. */
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE'
  /** One by one. */
  gates: Gate[]
}

/** A line of what "watch --json" prints: one each second, and one at the end. */
export interface WatchOutput {
  /** When it was printed, in ISO 8601, UTC. */
  at: string
  /** Since the start. */
  seconds: number
  /** What came since the line before. */
  second: Sample
  /** What came since the start. */
  total: Sample
}

/** Values of a release, as in values.yaml. */
interface Values {
  [name: string]: unknown
}

/** Weights of the two backends in the HTTPRoute; only their ratio counts. A backend that is not in it has 0. */
interface Weights {
  /** Of stable's Service. */
  stable: WholeNumber
  /** Of canary's Service. */
  canary: WholeNumber
}

/** The newest revision of a release. */
interface Installed {
  /** Its number. */
  revision: WholeNumber
  /** Helm's word, such as "deployed", "failed" or "pending-upgrade". */
  status: string
  /** When it was made, in ISO 8601, UTC. */
  at: string
  /** Those that it was given. */
  values: Values
}

/** Containers that ended, and were started again. */
interface Restarts {
  /** How often. */
  count: WholeNumber
  /** Why, as far as it is known, such as "OOMKilled" or "exit code 1"; "CrashLoopBackOff" where one waits to be started again. */
  reasons: string[]
}

/** The Deployment of a release. */
interface Workload {
  /** The image of its pods. */
  image: string
  /** The version that its pods are told to say; null where they are told none. */
  version: string | null
  /** How many pods there should be. */
  wanted: WholeNumber
  /** How many pods are ready. */
  ready: WholeNumber
  /** Whether every pod is of the newest template and ready, and no other is left. */
  isRolledOut: boolean
  /** How often containers of these pods were started again; null where pods may not be read. */
  restarts: Restarts | null
}

/** The HTTPRoute. */
interface Route {
  /** Those of its first rule. */
  weights: Weights
  /** What keeps a gateway from doing as the route says, a line each. */
  problems: string[]
  /** Names under which others than Helm have written it. */
  otherWriters: string[]
  /** Fields of its spec that are not as Helm installed them, such as "hostnames"; none while an upgrade is unfinished. */
  changed: string[]
  /** What may hide errors of a version from whoever asks through the gateway, such as retries and timeouts, a line each. */
  mayHide: string[]
}

/** Where a gateway can be asked, according to its status. */
interface Address {
  /** What to ask. */
  url: string
  /** A name that both the listener and the route answer to; null where any will do. */
  host: string | null
}

/** Another controller that decides over the objects. */
interface Owner {
  /** Such as "Argo CD". */
  name: string
  /** What to do instead of moving traffic from here. */
  instead: string
  /** Whether it moves traffic by objects of its own. */
  movesTraffic: boolean
}

/** What there is in the cluster; null is what is not there. */
interface Cluster {
  /** Of Helm. */
  releases: { stable: Installed | null; canary: Installed | null }
  /** What runs. */
  workloads: { stable: Workload | null; canary: Workload | null }
  /** Whether there is a Service. */
  services: { stable: boolean; canary: boolean }
  /** Stable's. */
  route: Route | null
  /** Where the gateway can be asked, the best first. */
  addresses: Address[]
  /** Why it cannot be asked at other places, a line each. */
  notAddresses: string[]
  /** Null where there is none. */
  owner: Owner | null
}

/** Why a part is null, on one line; null where it is not. */
type Why = string | null

/** What "status --json" prints. Where a part is null, the part of the same name in `unknown` says why. */
export interface StatusOutput {
  /** What the values files say. */
  declared: { stable: Values | null; canary: Values | null }
  /** What Chart.yaml says for this CLI, by the names of options. */
  annotations: { [name: string]: string }
  /** What is installed and live. */
  cluster: Cluster | null
  /** A sample that was judged against the weights in the route. */
  observed: CheckOutput | null
  /** Why. */
  unknown: {
    declared: { stable: Why; canary: Why }
    cluster: Why
    observed: Why
  }
  /** Where these do not agree, a line each, with what to do. */
  disagreements: string[]
}

/** A step that is done. */
interface Step {
  /** What was to be done, for people. */
  step: string
  /** What came of it, for people. */
  result: string
  /** How long it took. */
  seconds: number
}

/** What "shift --json" prints. */
export interface ShiftOutput {
  /** What was done. */
  steps: Step[]
  /** The check of the split; null where nobody was asked. */
  report: CheckOutput | null
}

/** What "promote --json" prints. */
export interface PromoteOutput {
  /** Whether stable serves everything, as what canary was. */
  promoted: boolean
  /** What it came to; "not seen" where all was done, but the replies do not show it. */
  outcome: 'promoted' | 'taken back' | 'not seen' | 'nothing to promote'
  /** What was done. */
  steps: Step[]
  /** The judgement that ended it; null where nothing was judged. */
  report: CheckOutput | null
  /** Requests of this command that canary answered, whenever: what asking cost. */
  byCanary: {
    /** All, errors included. */
    replies: WholeNumber
    /** Those that were errors. */
    errors: WholeNumber
  }
  /** What was left, or could not be seen, when traffic was taken back, a sentence each. */
  notes: string[]
}

/** What "rollback --json" prints. */
export interface RollbackOutput {
  /** What was done. */
  steps: Step[]
  /** From the start until every reply came from stable; null where nobody was asked, or it did not come to that. */
  seconds: number | null
  /** The check that every reply is from stable; null where nobody was asked. */
  report: CheckOutput | null
  /** What was left, or could not be seen, a sentence each. */
  notes: string[]
}

/** The judgement that led to a revision. */
interface Judged {
  /** What it came to. */
  verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE'
  /** Canary's share at the time, 0 to 100. */
  percentage: number
  /** The size of the sample. */
  requests: WholeNumber
  /** Names of the gates that did not pass. */
  gates: string[]
}

/** A revision of one of the two releases. */
interface RevisionOutput {
  /** When it was made, in ISO 8601, UTC. */
  at: string
  /** Of which release. */
  role: Role
  /** Its number, which each release counts for itself. */
  revision: WholeNumber
  /** Helm's word, such as "deployed", "superseded" or "failed". */
  status: string
  /** Those of the HTTPRoute that it has; null where it has none, as canary's. */
  weights: Weights | null
  /** The version that its pods are told to say; null where they are told none. */
  version: string | null
  /** The chart and its version, such as "devops-api-1.1.1". */
  chart: string
  /** The command of this CLI that made it; null where it was made by hand, or by something else. */
  command: 'shift' | 'promote' | 'rollback' | null
  /** Which step of that command, else Helm's own description, such as "Upgrade complete". */
  step: string
  /** What led to it; null where nothing was judged before. */
  judged: Judged | null
  /** The text of --because; null where none was given. */
  because: string | null
}

/** What "history --json" prints. */
export interface HistoryOutput {
  /** Of both releases, the oldest first. */
  revisions: RevisionOutput[]
}
