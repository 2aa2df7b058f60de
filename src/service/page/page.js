// @ts-check

const WINDOW = 500
const COLUMNS = 25
const MAX_IN_FLIGHT = 6 // of HTTP/1.1 in a browser, for each origin
const TIMEOUT_MS = 3000
const BUCKET_MS = 2000
const BUCKETS = 90
const DRAW_MS = 250

/** Hues told apart by most colour-blind people too; each has a mark of its own besides. Red is kept for failures. */
const HUES = [255, 62, 155, 345, 300, 205, 110]
const OTHERS = HUES.length // versions beyond those, together
const NOBODY = OTHERS + 1 // no version in the reply, or no reply
const ROWS = NOBODY + 1

/**
 * @typedef {object} Result
 * @property {string} [version]
 * @property {string | undefined} [role]
 * @property {string | undefined} [pod]
 * @property {string | undefined} [announced] the value of traffic-split, empty without one; undefined where the route may not have been asked
 * @property {string} outcome what happened, in words
 * @property {boolean} failed
 * @property {boolean} [unanswered]
 * @property {number} [ms] until the reply was complete
 *
 * @typedef {Result & { row: number, end: number }} Asked
 * @typedef {{ time: number, counts: Uint32Array, failures: Uint32Array }} Bucket
 */

/** @type {Asked[]} a ring */
const asked = []
/** @type {Bucket[]} */
const buckets = []
/** @type {(string | undefined)[]} the version of each row */
const names = HUES.map(() => undefined)
/** @type {(string | undefined)[]} the role that each was first seen in */
const roles = []
let total = 0
let inFlight = 0
let lastAsked = Number.NEGATIVE_INFINITY
let gap = 1 // before the next request, as a multiple of the average one
let paused = false
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
let announced = ''
/** Who has answered since the split was announced. */
let sinceAnnounced = { requests: 0, byRole: { stable: 0, canary: 0 } }

// Under /prefix as well as under /prefix/.
const endpoint = `${location.pathname.replace(/\/?$/, '/')}version`

/** @returns {Promise<Result>} */
async function ask() {
  const start = performance.now()
  try {
    const response = await fetch(endpoint, {
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    const ms = performance.now() - start
    const header = (/** @type {string} */ name) => response.headers.get(name) ?? undefined
    const version = response.ok ? versionIn(text) : header('app-version')
    return {
      ...(version && { version, role: header('app-role'), pod: header('app-pod') }),
      announced: header('traffic-split') ?? (version && ''),
      outcome: response.type === 'opaqueredirect' ? 'redirect' : `${response.status}${version ? '' : ' without a version'}`,
      failed: !response.ok || !version,
      ms,
    }
  } catch (error) {
    const unanswered = error instanceof DOMException && error.name === 'TimeoutError'
    return { outcome: unanswered ? 'no answer within 3 s' : 'connection failed', failed: true, unanswered }
  }
}

function versionIn(/** @type {string} */ text) {
  try {
    const { version } = JSON.parse(text)
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

function record(/** @type {Result} */ result) {
  if (result.announced !== undefined && result.announced !== announced) {
    announced = result.announced
    sinceAnnounced = { requests: 0, byRole: { stable: 0, canary: 0 } }
  }
  sinceAnnounced.requests++
  if (result.role === 'stable' || result.role === 'canary') sinceAnnounced.byRole[result.role]++
  const row = result.version === undefined ? NOBODY : rowOf(result.version, result.role)
  const entry = { ...result, row, end: performance.now() }
  asked[total % WINDOW] = entry
  total++

  const time = currentBucket()
  let bucket = buckets.at(-1)
  if (bucket?.time !== time) {
    bucket = { time, counts: new Uint32Array(ROWS), failures: new Uint32Array(ROWS) }
    buckets.push(bucket)
  }
  bucket.counts[row]++
  if (result.failed) bucket.failures[row]++
  if (total > 1) drawSquare((total - 2) % WINDOW)
  drawSquare((total - 1) % WINDOW)
}

/** The same version has the same place, and so colour and mark, unless another that is on show has it. */
function rowOf(/** @type {string} */ version, /** @type {string | undefined} */ role) {
  const known = names.indexOf(version)
  if (known !== -1) return known
  let hash = 369 // with it, the versions that the chart comes with differ
  for (const character of version) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0
  for (let step = 0; step < HUES.length; step++) {
    const row = (hash + step) % HUES.length
    if (names[row] === undefined) {
      names[row] = version
      roles[row] = role
      return row
    }
  }
  return OTHERS
}

const nameOf = (/** @type {number} */ row) => names[row] ?? (row === OTHERS ? 'Other versions' : 'No version')

const currentBucket = () => Math.floor(performance.now() / BUCKET_MS)

/** Lets go of what is no longer on show, and of the places of its versions. */
function forget() {
  while (buckets[0] && buckets[0].time <= currentBucket() - BUCKETS) buckets.shift()
  for (const [row, name] of names.entries()) {
    const isShown = asked.some((entry) => entry.row === row) || buckets.some(({ counts }) => counts[row])
    if (name !== undefined && !isShown) names[row] = undefined
  }
}

// Asking

const isAsking = () => !paused && !document.hidden

function schedule() {
  clearTimeout(timer)
  if (!isAsking()) return
  const now = performance.now()
  // What was missed is not made up for: a burst would measure itself.
  const due = Math.max(now, lastAsked + (gap * 1000) / rate.valueAsNumber)
  timer = setTimeout(() => {
    lastAsked = due
    // Even gaps fall in step with other even traffic, and with the turns of a gateway: https://www.rfc-editor.org/rfc/rfc2330#section-11.1
    gap = 2 * Math.random()
    if (inFlight < MAX_IN_FLIGHT) {
      inFlight++
      ask().then((result) => {
        inFlight--
        record(result)
      })
    }
    schedule()
  }, due - now)
}

function togglePause() {
  paused = !paused
  element('pause-label').textContent = paused ? 'Resume' : 'Pause'
  schedule()
  draw()
}

// Statistics

/** ln n!: the sum itself where it is short, else Stirling's series (DLMF 5.11.1). */
function logFactorial(/** @type {number} */ n) {
  if (n >= 16) return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3)
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}

/**
 * Where the true share lies if `count` of `n` hit, whenever and however often one looks: with the probability `alpha`, it is ever outside.
 * Those shares at which the likelihood, mixed evenly over all shares, has not grown by 1/alpha (Robbins 1970).
 */
function interval(/** @type {number} */ count, /** @type {number} */ n, alpha = 0.05) {
  const term = (/** @type {number} */ hits, /** @type {number} */ p) => (hits === 0 ? 0 : hits * Math.log(p))
  const ways = logFactorial(n) - logFactorial(count) - logFactorial(n - count)
  const isIn = (/** @type {number} */ p) => Math.log(n + 1) + ways + term(count, p) + term(n - count, 1 - p) > Math.log(alpha)
  return [0, 1].map((outside) => {
    if (n === 0 || count / n === outside) return outside
    let inside = count / n
    for (let halving = 0; halving < 30; halving++) {
      const middle = (inside + outside) / 2
      if (isIn(middle)) inside = middle
      else outside = middle
    }
    return inside
  })
}

/** How often a right split is ever said to be wrong, and one that is off by so much to be right. */
const [ALPHA, BETA] = [0.001, 0.01]
const [MOST_OFF, UNWANTED] = [0.05, 0.03]

/** @typedef {{ count: number, configured: number }} Share */

/** Whether a share is surely not the configured one; of none, a single reply is too many. */
function isWrong(/** @type {Share} */ { count, configured }, /** @type {number} */ n) {
  if (configured === 0 || configured === 1) return count !== configured * n
  const [low = 0, high = 1] = interval(count, n, ALPHA)
  return configured < low || configured > high
}

/** Whether shares would surely not be off by 5 points, or half of the smaller one, after so many more requests that are answered as configured. */
function isRight(/** @type {Share[]} */ shares, /** @type {number} */ n, /** @type {number} */ more) {
  const off = Math.min(MOST_OFF, ...shares.flatMap(({ configured }) => (configured > 0 ? configured / 2 : [])))
  return shares.every(({ count, configured }) => {
    const [low = 0, high = 1] = interval(count + configured * more, n + more, BETA)
    const most = configured === 0 || configured === 1 ? UNWANTED : off
    return low > configured - most && high < configured + most
  })
}

const percentile = (/** @type {number[]} */ sorted, /** @type {number} */ p) => sorted[Math.ceil(p * sorted.length) - 1]
const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)} %`
const range = (/** @type {number[]} */ [low, high]) => `${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)} %`
const milliseconds = (/** @type {number | undefined} */ ms) => (ms === undefined ? '–' : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`)

/**
 * How often each value occurs, the most frequent first.
 * @param {(string | undefined)[]} values
 * @param {(value: string, count: number) => string} format
 */
function tally(values, format = (value) => value) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  const shown = sorted.slice(0, 6).map(([value, count]) => format(value, count))
  return [...shown, ...(sorted.length > 6 ? [`${sorted.length - 6} more`] : [])]
}

// Drawing

/** @template {HTMLElement} [T=HTMLElement] */
const element = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id))
const pause = /** @type {HTMLButtonElement} */ (element('pause'))
const rate = /** @type {HTMLInputElement} */ (element('rate'))
const grid = /** @type {HTMLCanvasElement} */ (element('grid'))
const strip = /** @type {HTMLCanvasElement} */ (element('strip'))
const template = /** @type {HTMLTemplateElement} */ (element('card'))
const dark = matchMedia('(prefers-color-scheme: dark)')

const colourOf = (/** @type {number} */ row) => {
  const lightness = dark.matches ? 0.76 : 0.58
  if (row >= OTHERS) return `oklch(${lightness} 0 0)`
  return `oklch(${lightness} 0.15 ${HUES[row]})`
}
const failure = () => (dark.matches ? '#ff8a80' : '#b3261e')
const text = () => (dark.matches ? '#eceff3' : '#171a1f')
const panel = () => (dark.matches ? '#181c22' : '#ffffff')

/** In pixels of the screen. */
function context(/** @type {HTMLCanvasElement} */ canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio)
  const height = Math.round(canvas.clientHeight * devicePixelRatio)
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
}

/** What tells rows apart without colour: nothing, a dot, a bar, and so on. */
const MARKS = [
  [],
  [[0.35, 0.35, 0.3, 0.3]],
  [[0.2, 0.42, 0.6, 0.16]],
  [[0.42, 0.2, 0.16, 0.6]],
  [
    [0.42, 0.2, 0.16, 0.6],
    [0.2, 0.42, 0.6, 0.16],
  ],
  [
    [0.2, 0.2, 0.2, 0.6],
    [0.6, 0.2, 0.2, 0.6],
  ],
  [
    [0.2, 0.2, 0.6, 0.2],
    [0.2, 0.6, 0.6, 0.2],
  ],
]

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {{ row: number, failed?: boolean, unanswered?: boolean | undefined }} entry
 */
function square(ctx, x, y, size, { row, failed, unanswered }) {
  const line = Math.max(1, Math.round(size / 9))
  ctx.fillStyle = colourOf(row)
  ctx.fillRect(x, y, size, size)
  ctx.fillStyle = panel()
  if (!failed) {
    for (const [left = 0, top = 0, width = 0, height = 0] of MARKS[row] ?? []) {
      ctx.fillRect(x + left * size, y + top * size, width * size, height * size)
    }
    return
  }
  ctx.fillRect(x + line, y + line, size - 2 * line, size - 2 * line)
  ctx.fillStyle = ctx.strokeStyle = failure()
  ctx.lineWidth = line * 1.5
  if (unanswered) {
    ctx.fillRect(x + size * 0.35, y + size * 0.35, size * 0.3, size * 0.3)
    return
  }
  const [near, far] = [size * 0.25, size * 0.75]
  ctx.beginPath()
  ctx.moveTo(x + near, y + near)
  ctx.lineTo(x + far, y + far)
  ctx.moveTo(x + far, y + near)
  ctx.lineTo(x + near, y + far)
  ctx.stroke()
}

function drawSquare(/** @type {number} */ index) {
  const entry = asked[index]
  const ctx = context(grid)
  const cell = grid.width / COLUMNS
  const gap = Math.max(1, Math.round(cell / 10))
  const x = Math.round((index % COLUMNS) * cell)
  const y = Math.round(Math.floor(index / COLUMNS) * cell)
  const size = Math.round(cell) - 2 * gap
  ctx.clearRect(x, y, Math.ceil(cell), Math.ceil(cell))
  if (!entry) {
    ctx.strokeStyle = dark.matches ? '#303742' : '#d5d9e0'
    ctx.strokeRect(x + gap + 0.5, y + gap + 0.5, size - 1, size - 1)
    return
  }
  if (index === (total - 1) % WINDOW) {
    ctx.fillStyle = text()
    ctx.fillRect(x, y, size + 2 * gap, size + 2 * gap)
  }
  square(ctx, x + gap, y + gap, size, entry)
}

function drawStrip() {
  const ctx = context(strip)
  const { width, height } = strip
  ctx.clearRect(0, 0, width, height)
  const now = currentBucket()
  const column = width / BUCKETS
  for (const { time, counts, failures } of buckets) {
    const age = now - time
    const left = Math.round(width - (age + 1) * column)
    const span = Math.round(width - age * column) - left
    const sum = counts.reduce((a, b) => a + b, 0)
    let y = height
    for (const row of order) {
      const part = (/** @type {Uint32Array} */ of) => (of[row] / sum) * height
      y -= part(counts)
      ctx.fillStyle = colourOf(row)
      ctx.fillRect(left, y, span, part(counts))
      ctx.fillStyle = failure()
      const step = 6 * devicePixelRatio
      for (let offset = 0; offset < part(failures); offset += step) {
        ctx.fillRect(left, y + offset, span, Math.min(step / 2, part(failures) - offset))
      }
    }
  }
}

/** @type {Map<number, HTMLElement>} */
const cards = new Map()
/** @type {number[]} the rows on show, stable's first, then canary's */
let order = []

const put = (/** @type {HTMLElement} */ target, /** @type {string} */ value) => {
  if (target.textContent !== value) target.textContent = value
}

function drawCards() {
  const rows = Map.groupBy(asked, ({ row }) => row)
  const rank = (/** @type {number} */ row) => (roles[row] === 'stable' ? -2 : roles[row] === 'canary' ? -1 : row)
  const shown = [...Array(ROWS).keys()].filter((row) => rows.has(row) || buckets.some(({ counts }) => counts[row]))
  order = shown.sort((a, b) => rank(a) - rank(b))

  for (const [row, card] of cards) {
    if (rows.has(row)) continue
    card.remove()
    cards.delete(row)
  }
  /** @type {HTMLElement | undefined} */
  let previous
  for (const row of order) {
    const entries = rows.get(row)
    if (!entries) continue
    const card = cards.get(row) ?? /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true))
    if (!cards.has(row)) cards.set(row, card)
    /** @type {ChildNode | null} */
    const place = previous ? previous.nextSibling : element('cards').firstChild
    if (place !== card) element('cards').insertBefore(card, place)
    previous = card
    drawCard(card, row, entries)
  }
}

/**
 * @param {HTMLElement} card
 * @param {number} row
 * @param {Asked[]} entries
 */
function drawCard(card, row, entries) {
  const field = (/** @type {string} */ name) => /** @type {HTMLElement} */ (card.querySelector(`[data-field="${name}"]`))
  const n = asked.length
  const [low, high] = interval(entries.length, n)
  const errors = entries.filter(({ failed }) => failed)
  const times = entries.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b)
  const outcomes = tally(
    errors.map(({ outcome }) => outcome),
    (outcome, count) => `${count} × ${outcome}`,
  )

  put(field('name'), nameOf(row))
  put(field('role'), tally(entries.map(({ role }) => role)).join(', '))
  put(field('share'), percent(entries.length / n))
  put(field('interval'), `of ${n} requests (95 %: ${range([low, high])})`)
  put(field('requests'), `${entries.length}`)
  put(field('errors'), errors.length ? `${percent(errors.length / entries.length)} (${outcomes.join(', ')})` : '0')
  field('errors').classList.toggle('bad', errors.length > 0)
  put(field('p50'), milliseconds(percentile(times, 0.5)))
  put(field('p95'), milliseconds(percentile(times, 0.95)))
  put(field('pods'), tally(entries.map(({ pod }) => pod)).join('\n') || 'not named')

  card.style.setProperty('--colour', colourOf(row))
  const [value, whisker] = card.querySelectorAll('.bar > *')
  Object.assign(/** @type {HTMLElement} */ (value).style, { width: `${(entries.length / n) * 100}%` })
  Object.assign(/** @type {HTMLElement} */ (whisker).style, { left: `${low * 100}%`, width: `${(high - low) * 100}%` })
  const swatch = /** @type {HTMLCanvasElement} */ (card.querySelector('canvas'))
  const ctx = context(swatch)
  square(ctx, 0, 0, swatch.width, { row, failed: row === NOBODY })
}

function drawSplit() {
  const verdict = element('verdict')
  const say = (/** @type {string} */ kind, /** @type {string} */ sentence, evidence = '') => {
    verdict.dataset.verdict = kind
    put(verdict, sentence)
    put(element('evidence'), evidence)
  }
  const weights = /^stable=(\d+), canary=(\d+)$/.exec(announced)?.slice(1).map(Number)
  const [stable = 0, canary = 0] = weights ?? []
  element('comparison').hidden = !weights || stable + canary === 0
  if (total === 0) return say('none', 'Waiting for the first reply')
  if (element('comparison').hidden)
    return say('none', announced ? `Announced as “${announced}”` : 'Not announced by the route (traffic.announce in the chart)')

  const { requests, byRole } = sinceAnnounced
  const answered = byRole.stable + byRole.canary
  const shares = /** @type {const} */ (['stable', 'canary']).map((role) => {
    const configured = { stable, canary }[role] / (stable + canary)
    const count = byRole[role]
    put(element(`configured-${role}`), percent(configured))
    put(element(`observed-${role}`), answered ? percent(count / answered) : '–')
    put(element(`interval-${role}`), answered ? range(interval(count, answered)) : '–')
    return { count, configured }
  })
  const nobody = requests - answered
  const evidence = `${requests} requests since it was announced${nobody ? `, ${nobody} of them answered by neither` : ''}`
  if (shares.some((share) => isWrong(share, answered))) return say('disagree', 'Configured and observed do not agree', evidence)
  if (isRight(shares, answered, 0)) return say('agree', 'Configured and observed agree', evidence)
  let more = 10
  while (!isRight(shares, answered, more) && more < 1e6) more = Math.ceil(more * 1.2)
  return say('early', `Cannot tell yet, about ${Number(more.toPrecision(2)).toLocaleString('en')} more requests`, evidence)
}

function drawState() {
  const now = performance.now()
  const recent = asked.filter(({ end }) => now - end < 5000)
  const failing = recent.length > 0 && recent.every(({ failed }) => failed)
  const [state, sentence] = paused
    ? ['paused', 'Paused']
    : total === 0
      ? ['waiting', 'Waiting for the first reply']
      : failing
        ? ['failing', 'Every request fails']
        : ['live', 'Live']
  element('state').dataset.state = state
  put(element('state'), sentence)
  const held = isAsking() && inFlight >= MAX_IN_FLIGHT ? `; ${MAX_IN_FLIGHT} are under way, more must wait` : ''
  put(element('pace'), total === 0 ? '' : `${(recent.length / Math.min(5, now / 1000)).toFixed(1)} requests a second${held}`)
}

function draw() {
  forget()
  element('waiting').hidden = total > 0
  drawState()
  drawSplit()
  drawCards()
  drawStrip()
  if (total === 0) return
  const failed = asked.filter((entry) => entry.failed).length
  const summary = order.flatMap((row) => {
    const share = asked.filter((entry) => entry.row === row).length / asked.length
    return share > 0 ? `${percent(share)} ${nameOf(row)}` : []
  })
  grid.ariaLabel = `Of the last ${asked.length} requests: ${summary.join(', ')}; ${failed} failed`
  strip.ariaLabel = `Share of each version over time; now ${summary.join(', ')}`
}

function drawAll() {
  draw()
  for (let index = 0; index < WINDOW; index++) drawSquare(index)
}

pause.addEventListener('click', togglePause)
rate.addEventListener('input', () => {
  element('rate-value').textContent = rate.value
  schedule()
})
element('controls').addEventListener('submit', (event) => event.preventDefault())
addEventListener('keydown', (event) => {
  if (event.key !== ' ' || event.repeat || event.target === pause) return
  event.preventDefault()
  togglePause()
})
document.addEventListener('visibilitychange', () => schedule())
dark.addEventListener('change', drawAll)
new ResizeObserver(drawAll).observe(grid)
setInterval(() => {
  if (!document.hidden) draw()
}, DRAW_MS)
schedule()
