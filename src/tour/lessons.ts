import type { Role } from '../canary/roles.ts'

/** What an edit says, by the path of each value; undefined takes it out. */
export type Edits = Readonly<Record<string, string | number | boolean | undefined>>

/** One thing to do. `do` says it in words; the rest is what is typed, or saved. */
export type Step = { readonly do: string } & (
  | { readonly edit: Role; readonly set: Edits; readonly unready?: true }
  | { readonly uninstall: 'canary' }
  /** Shows a values file. */
  | { readonly look: Role }
  /** Asks so often for the version, perhaps with a header. */
  | { readonly curl: number; readonly header?: readonly [name: string, value: string] }
  /** Waits until a pod was started again. */
  | { readonly restarts: true }
  /** Runs the CLI; where to ask, and where the releases are, is added. */
  | { readonly canary: readonly string[] }
)

export interface Question {
  readonly text: string
  /** What may be answered, and what is to be said about it; the first is right, and is shown in another place. */
  readonly answers: readonly [right: Answer, ...wrong: Answer[]]
}

type Answer = readonly [text: string, because: string]

/** One lesson. It is done when the values files say what its last edits say, and the replies are as they should be then. */
export interface Lesson {
  readonly title: string
  /** What there is to know before, in Markdown. */
  readonly why: string
  /** What the values files say at the beginning, beside what the chart's own do. */
  readonly start?: Readonly<Partial<Record<Role, Edits>>>
  readonly steps: readonly Step[]
  /** What to see, in Markdown. */
  readonly see: string
  readonly question: Question
  readonly hints: readonly string[]
  /** What the files say at the end, where a command edits them. */
  readonly end?: Readonly<Partial<Record<Role, Edits>>>
  /** Beside the split of the weights: requests with this header must all be answered by canary. */
  readonly preview?: readonly [name: string, value: string]
  /** Instead of the split of the weights: canary's share must fail with this status. */
  readonly failsWith?: 503
}

const half: Edits = { 'traffic.stable': 50, 'traffic.canary': 50 }
const allStable: Edits = { 'traffic.stable': 100, 'traffic.canary': 0 }
const allCanary: Edits = { 'traffic.stable': 0, 'traffic.canary': 100 }
const PREVIEW = ['x-canary', 'always'] as const

const takeBack: Step = {
  do: 'First of all, take the traffic away from the canary. Why it fails can wait.',
  edit: 'stable',
  set: allStable,
}

export const lessons: readonly Lesson[] = [
  {
    title: 'See the split',
    why: `Two Helm releases of one chart are installed, \`devops-api-stable\` and \`devops-api-canary\`: the version that everybody knows, and the one to
try. Each has its pods and a Service in front of them. A route, the HTTPRoute of the [Kubernetes Gateway API](https://gateway-api.sigs.k8s.io/), gives
each request to one of the two Services, by weight. Two short values files say all of that.`,
    steps: [
      { do: 'Read what stable is told. It owns the route, so the weights are here.', look: 'stable' },
      { do: 'Read what the canary is told: another version of itself, and no route.', look: 'canary' },
      { do: 'Ask a few times who answers.', curl: 1 },
    ],
    see: 'On the live page, each square is a request: nine of ten are stable\'s, one of ten is the canary\'s. "Configured" and "observed" agree.',
    question: {
      text: 'The weights are 90 and 10. What would change with 9 and 1?',
      answers: [
        ['nothing', 'Only the ratio of the weights counts: 9 to 1 is 90 to 10.'],
        ['the canary would get 1 % of the requests', 'Weights are no percentages: 1 of 9 + 1 is 10 %, as before.'],
        [
          'nine of ten requests would fail',
          'Weights need not add up to 100: 9 of 10 requests go to stable, 1 of 10 to the canary.',
        ],
      ],
    },
    hints: ['Nothing is to be edited in this lesson. If the split is not 90/10 any more, put the weights back.'],
  },
  {
    title: 'Why twenty curls prove nothing',
    why: `It is tempting to ask twenty times, to see two replies of the canary and no error, and to call it good. But at 10 %, twenty requests to a gateway
that draws at random show no canary at all one time in eight. And zero errors in *n* requests only say that fewer than about 3/*n* of all requests fail.`,
    steps: [
      { do: 'Ask twenty times, and count.', curl: 20 },
      { do: 'Have the same judged. It ends with exit code 2.', canary: ['check', '--requests', '20'] },
      { do: 'Let the check choose how often to ask. It ends with exit code 0.', canary: ['check'] },
    ],
    see: 'With twenty requests the verdict is INCONCLUSIVE, which is no pass: nothing was wrong, and nothing was shown. With about two thousand it is PASS: the canary gets a tenth of them.',
    question: {
      text: 'Twenty requests, no error. What do you know?',
      answers: [
        [
          'fewer than about 15 % of the requests fail',
          '3/20 is 15 %. To know that fewer than 1 % fail takes 300 requests without an error.',
        ],
        [
          'no request fails',
          'A service that fails one time in twenty answers twenty requests without an error one time in three.',
        ],
        ['fewer than 1 % of the requests fail', 'For that it takes 300 requests without an error: 3/300 is 1 %.'],
      ],
    },
    hints: ['The rule of three: no error in n requests means, 19 times of 20, that fewer than 3/n fail.'],
  },
  {
    title: 'Move traffic',
    why: 'Who gets how much is one edit, of the two weights in the values of stable, and one `helm upgrade`. No pod is restarted by it.',
    steps: [
      { do: 'Give each half of the requests.', edit: 'stable', set: half },
      { do: 'Have it judged.', canary: ['check'] },
    ],
    see: "On the live page, half of the squares turn to the canary's colour, and a mark says when the weights moved.",
    question: {
      text: 'A user reloads the page ten times at 50/50. Which version do they see?',
      answers: [
        [
          'now one, now the other',
          'Weights split requests, not users. That is why both versions must understand the same data and the same sessions.',
        ],
        [
          'always the one of their first visit',
          'A route with weights does not remember anybody: each request is given to one of the two anew.',
        ],
        [
          'the canary, once they have seen it',
          'A route with weights does not remember anybody: each request is given to one of the two anew.',
        ],
      ],
    },
    hints: ['Both weights are below "traffic". Keep the indentation of two spaces.'],
  },
  {
    title: 'A bad canary, found and taken back',
    why: 'What a canary is for: a version that fails one request in five is found while it hurts one user in fifty, and is taken back in seconds.',
    steps: [
      {
        do: 'Make the canary bad: a fifth of its replies are errors from now on.',
        edit: 'canary',
        set: { 'env.FAULT_ERROR_RATE': '0.2' },
      },
      { do: 'Have it judged. It ends with exit code 1.', canary: ['check'] },
      takeBack,
    ],
    see: 'Before the last step, the check says FAIL, and failed requests are marked on the live page. After it, every request is answered by stable.',
    question: {
      text: "At 90/10, 2 % of all requests fail. Why does the check look at the canary's own errors as well?",
      answers: [
        [
          'the small share hides how bad the canary is',
          'A fifth of a tenth is 2 %. At 99/1 it would be 0.2 %, and no alarm on all requests would ring.',
        ],
        [
          "stable's errors do not matter",
          'They do: the canary is compared with stable at the same time, so that a bad day of the network is not blamed on it.',
        ],
        [
          'it finds the reason of the errors',
          'It says how often the canary fails, not why. That is in the logs, which can be read once users are safe.',
        ],
      ],
    },
    hints: [
      'The variable belongs below "env" in the values of the canary, with its value in quotes.',
      'The canary stays bad in this lesson: it is enough that it gets no requests.',
    ],
  },
  {
    title: 'A slow one',
    why: `A canary may answer everything, and too late. The average hardly shows it: half of the replies of this one take 50 ms more, but one in a
hundred takes 800 ms. So the check compares the 95th percentiles, the time that all but the slowest twentieth take.`,
    steps: [
      {
        do: 'Make the canary slow.',
        edit: 'canary',
        set: { 'env.FAULT_DELAY_MS': '50', 'env.FAULT_DELAY_P99_MS': '800' },
      },
      { do: 'Have it judged, and compare the columns p50, p95 and p99 of both.', canary: ['check'] },
      takeBack,
    ],
    see: 'No request fails, and still the check says FAIL: "canary health" names both 95th percentiles. Below the squares, the live page shows them as well.',
    question: {
      text: 'Why the 95th percentile, and not the average?',
      answers: [
        [
          'an average hides a few very slow replies',
          'And many users meet them: of those who send 20 requests, two in three get one of the slowest twentieth.',
        ],
        [
          'an average is harder to compute',
          'It is easier. It just answers another question: what all replies take together, not what the unlucky ones take.',
        ],
        [
          'the slowest reply is what counts',
          'The very slowest says little: one pause of the machine is enough. So does the check leave out the slowest twentieth.',
        ],
      ],
    },
    hints: ['Both variables belong below "env" in the values of the canary, with their values in quotes.'],
  },
  {
    title: 'The missing Service, and no ready pod',
    why: `Two mistakes of every beginner. The route gives weight to a Service that is not there; or the Service is there, and none of its pods is ready.
Either way the canary's share of the requests fails, and the status tells which it is.`,
    steps: [
      { do: 'Take the canary away, while the route still gives it a tenth of the requests.', uninstall: 'canary' },
      { do: 'Ask twenty times.', curl: 20 },
      {
        do: 'Put the canary back, as one whose pods never get ready.',
        edit: 'canary',
        set: { 'env.FAULT_READY_AFTER_MS': '-1' },
        unready: true,
      },
      { do: 'Ask twenty times.', curl: 20 },
    ],
    see: `First, a tenth of the replies are 500: the Gateway API wants that where a Service does not exist (a few gateways give the requests to the other
Service instead). Then they are 503: there is a Service, but nobody behind it.`,
    question: {
      text: 'You install stable first, with weights 90/10, and the canary a minute later. What do users get meanwhile?',
      answers: [
        [
          'one request in ten fails',
          'So install the canary first, or begin with 100/0: a weight of 0 leaves its Service out of the route.',
        ],
        [
          'everything from stable, until the canary is there',
          "A route does not wait for a Service: the canary's share fails with 500 until it is there.",
        ],
        [
          'nothing, as the route is broken',
          'Only the share of the missing Service fails. The other nine of ten are answered by stable.',
        ],
      ],
    },
    hints: ['At the end, the canary is installed, none of its pods is ready, and the weights are 90/10 still.'],
    failsWith: 503,
  },
  {
    title: 'Preview by header, at weight 0',
    why: `Before any user meets the canary, you can: a second rule of the route gives it all requests with the header \`x-canary: always\`, whatever the
weights are.`,
    steps: [
      {
        do: 'Give stable all requests, and switch the preview on.',
        edit: 'stable',
        set: { ...allStable, 'traffic.preview': true },
      },
      { do: 'Ask as a user does.', curl: 5 },
      { do: 'Ask with the header.', curl: 5, header: PREVIEW },
      {
        do: 'Have the preview judged.',
        canary: ['check', '--header', PREVIEW.join(': '), '--expect', 'stable=0,canary=100'],
      },
    ],
    see: "The live page shows stable alone. With the header, every reply is the canary's.",
    question: {
      text: 'The preview looks good. What is not shown by it?',
      answers: [
        [
          "how the canary does with real users' requests",
          'Their load, their data and their clients come with the first real share: start small, and judge each step.',
        ],
        ["that the canary's pods are ready", 'It is: without a ready pod, a request with the header would get a 503.'],
        [
          'that the route reaches the canary',
          'It is: the requests with the header went through the same gateway, to the same Service.',
        ],
      ],
    },
    hints: [
      '"preview: true" belongs below "traffic", beside the weights.',
      'Both weights must be there: stable: 100 and canary: 0.',
    ],
    preview: PREVIEW,
  },
  {
    title: 'Promote, in three edits',
    why: `The canary is good. Stable is to run what it runs, and nobody is to notice. In this order, no request ever meets a pod that is being replaced
without another to take its place, and there is a way back until the last step.`,
    steps: [
      { do: 'First edit: the canary takes all requests.', edit: 'stable', set: allCanary },
      {
        do: 'Second edit: stable gets the new version, while nobody asks it.',
        edit: 'stable',
        set: { 'image.tag': 'v1.1.1-canary' },
      },
      { do: 'Third edit: stable takes all requests back.', edit: 'stable', set: allStable },
      { do: 'Have it judged.', canary: ['check'] },
    ],
    see: "On the live page, everything becomes the canary's, and then stable's again, which now answers with the version `v1.1.1-canary`. No request fails.",
    question: {
      text: 'Why does stable get the new version only when the canary has all the traffic?',
      answers: [
        [
          'its pods are replaced while nobody uses them',
          "And should they not start, nobody notices, and stable's old version is one edit away.",
        ],
        [
          'Helm refuses to upgrade pods that get requests',
          'It does not: an upgrade rolls the pods one by one. But users would get new and old ones meanwhile, in shares that nobody has chosen.',
        ],
        [
          'otherwise both would have the same name',
          'Names come from the role, and never change: devops-api-stable and devops-api-canary.',
        ],
      ],
    },
    hints: [
      'The tag is in quotes: without them, YAML reads a tag such as 1.10 as the number 1.1.',
      'At the end: weights 100 and 0, and the tag v1.1.1-canary in the values of stable.',
    ],
  },
  {
    title: 'Roll back, in an emergency',
    start: { stable: half, canary: { 'env.FAULT_ERROR_RATE': '0.2' } },
    why: `It is night, a promotion stands at 50/50, and one request in ten fails. The one thing to do first is to take the traffic back; a single command does
it, without waiting for anything, and says when every reply came from stable.`,
    steps: [{ do: 'Roll back.', canary: ['rollback'] }],
    end: { stable: allStable },
    see: 'The canary is gone from the live page, and a mark says "rollback". In the values of stable, the weights are 100 and 0: the command did what you would do.',
    question: {
      text: 'What should you do first when a canary at 50 % fails?',
      answers: [
        ['weights 100/0', 'It takes a second, and touches no pod. All else can wait until users are safe.'],
        [
          'uninstall the canary',
          'While the route gives it half of the requests, that half would fail with 500 until the weights are moved as well.',
        ],
        ['repair the canary, and upgrade it', 'Users would see errors until it is repaired, built and rolled out.'],
      ],
    },
    hints: ['The same by hand: weights 100 and 0 in the values of stable.'],
  },
  {
    title: 'For the curious: replies that are cut off',
    why: `The next three lessons are about canaries that are bad in less common ways. This one resets the connection in the middle of every other reply.
Its own metrics count all of them as successes, with status 200: only who asks from outside sees it.`,
    steps: [
      { do: 'Have the canary reset connections.', edit: 'canary', set: { 'env.FAULT_RESET_RATE': '0.5' } },
      { do: 'Have it judged. It ends with exit code 1.', canary: ['check'] },
      takeBack,
    ],
    see: 'The check counts every reply that did not come whole as a failed request, and says FAIL.',
    question: {
      text: 'The dashboards of the canary are all green. Why?',
      answers: [
        [
          'a service cannot see whether its reply arrives',
          'It has sent a 200, and counts that. So measure where the users are: in front of the gateway.',
        ],
        [
          'the gateway repairs the replies',
          'It cannot: when the connection breaks, the 200 and half of the reply are on their way already.',
        ],
        ['dashboards show averages', 'Some do. But here each single reply is counted as good, so no other figure would help.'],
      ],
    },
    hints: ['The variable belongs below "env" in the values of the canary, with its value in quotes.'],
  },
  {
    title: 'For the curious: a crash, some time after the start',
    why: 'This canary starts, gets ready, and crashes five seconds later, again and again. `helm upgrade --wait` has been content long before that.',
    steps: [
      { do: 'Have the canary crash.', edit: 'canary', set: { 'env.FAULT_CRASH_AFTER_MS': '5000' } },
      { do: 'Look for the restarts.', restarts: true },
      takeBack,
    ],
    see: `A pod that ends is started again: at once, then after longer and longer pauses, which Kubernetes calls CrashLoopBackOff. Between two crashes all
pods are ready. When both are down, the canary's share fails with 502 or 503.`,
    question: {
      text: 'All pods are ready when you look. What tells that they crash?',
      answers: [
        [
          'the number of restarts',
          'It stays, and the CLI\'s "status" and "kubectl get pods" show it. A healthy canary has none.',
        ],
        ['the readiness probe', 'It asks what is now. Between two crashes, the answer is yes.'],
        ['the version in the replies', 'A pod that was started again says the same version as before.'],
      ],
    },
    hints: ['Give it ten seconds. Then take the traffic away.'],
  },
  {
    title: 'For the curious: a leak, which only time shows',
    why: `This canary takes memory, and never gives it back. At first everything is well. Later its pods are killed at their memory limit. Time is the only
test for that: let a canary *bake* with a small share before it gets more.`,
    steps: [
      { do: 'Have the canary leak.', edit: 'canary', set: { 'env.FAULT_LEAK_MIB_PER_S': '10' } },
      { do: 'Have it judged at once: no request fails.', canary: ['check'] },
      { do: 'Wait, and look for the restarts.', restarts: true },
      takeBack,
    ],
    see: 'The check finds no error: nothing is wrong yet. Some seconds later a pod is OOMKilled, which means: out of memory, killed, with exit code 137.',
    question: {
      text: 'How long should a canary bake before it gets more traffic?',
      answers: [
        [
          'as long as its slowest fault takes to show',
          'Leaks, caches, nightly jobs: an hour or a day is common. Faults that show at once are found by the check.',
        ],
        ['until the check says PASS', 'It finds nothing here. A sample tells how things are, not how they will be.'],
        [
          'not at all, if tests passed before',
          'Tests run for minutes, on a machine of their own. A leak takes longer than that.',
        ],
      ],
    },
    hints: ['It takes ten to twenty seconds at 10 MiB a second. Then take the traffic away.'],
  },
]
