// @ts-check

const WINDOW = 500
const MAX_IN_FLIGHT = 6 // of HTTP/1.1 in a browser, for each origin
const TIMEOUT_MS = 3000
const BUCKET_MS = 2000
const BUCKETS = 90
const DRAW_MS = 250
const MOMENTS = 3 // in the list; marks go on

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
 * @typedef {{ letter: string, text: string, clock: string, end: number, item: HTMLElement }} Moment
 * @typedef {Result & { row: number, end: number, clock: string, epoch: number, moment: Moment | undefined }} Asked
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
/** @type {Moment[]} when something changed, as the replies tell */
let moments = []
let momentsSeen = 0
/** @type {Map<string, string[]>} what was said of a subject in the last replies about it */
const lately = new Map()
/** How often another split was announced, and who has answered since. */
let epoch = 0
let sinceAnnounced = { requests: 0, byRole: { stable: 0, canary: 0 } }

// Under /prefix as well as under /prefix/.
const endpoint = `${location.pathname.replace(/\/?$/, '/')}version`

/** @returns {Promise<Result>} */
async function ask() {
  const start = performance.now()
  /** @type {Response | undefined} */
  let response
  const header = (/** @type {string} */ name) => response?.headers.get(name) ?? undefined
  const said = (/** @type {string | undefined} */ version) => ({
    ...(version && { version, role: header('app-role'), pod: header('app-pod') }),
    announced: header('traffic-split') ?? (version && ''),
  })
  try {
    response = await fetch(endpoint, {
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    const ms = performance.now() - start
    const version = response.ok ? versionIn(text) : header('app-version')
    return {
      ...said(version),
      outcome: response.type === 'opaqueredirect' ? 'redirect' : `${response.status}${version ? '' : ' without a version'}`,
      failed: !response.ok || !version,
      ms,
    }
  } catch (error) {
    const unanswered = error instanceof DOMException && error.name === 'TimeoutError'
    const outcome = unanswered ? 'no answer within 3 s' : response ? 'reply cut off' : 'connection failed'
    return { ...said(header('app-version')), outcome, failed: true, unanswered }
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
  const moment = momentOf(result)
  if (result.announced !== undefined && result.announced !== announced) {
    announced = result.announced
    epoch++
    sinceAnnounced = { requests: 0, byRole: { stable: 0, canary: 0 } }
  }
  sinceAnnounced.requests++
  if (result.role === 'stable' || result.role === 'canary') sinceAnnounced.byRole[result.role]++
  const row = result.version === undefined ? NOBODY : rowOf(result.version, result.role)
  const entry = { ...result, row, end: performance.now(), clock: clock(), epoch, moment }
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

const clock = () => new Date().toTimeString().slice(0, 8)

/**
 * What was said of a subject before, where this is none of the last `n`, 10 at least: while pods or gateways change one by one, both are
 * said in turn.
 */
function before(/** @type {string} */ subject, /** @type {string} */ value, /** @type {number} */ n) {
  const values = lately.get(subject) ?? []
  lately.set(subject, [...values.slice(1 - n), value])
  return values.length < 10 || values.includes(value) ? undefined : values.at(-1)
}

const weightsIn = (/** @type {string} */ split) => /^stable=(\d+), canary=(\d+)$/.exec(split)?.slice(1).map(Number)

/** Something that changed with this reply, if anything did. */
function momentOf(/** @type {Result} */ { version, role, announced }) {
  const texts = []
  const earlier = announced === undefined ? undefined : before('split', announced, 20)
  if (announced !== undefined && earlier !== undefined) {
    const [old, now] = [weightsIn(earlier), weightsIn(announced)]
    const hasKept = role !== 'stable' || lately.get(role)?.at(-1) === version
    const isRollback = old && now && old[1] > 0 && now[1] === 0 && hasKept
    const [from, to] = [old?.join('/') ?? (earlier || 'unknown'), now?.join('/') ?? (announced || 'unknown')]
    texts.push(`${isRollback ? 'rollback' : 'weights'} ${from} to ${to}`)
  }
  if (version && role) {
    const last = before(role, version, 50)
    if (last !== undefined) texts.push(`${role} ${last} to ${version}`)
  }
  if (texts.length === 0) return undefined
  const letter = String.fromCharCode(65 + (momentsSeen++ % 26))
  const moment = { letter, text: texts.join(', '), clock: clock(), end: performance.now(), item: document.createElement('p') }
  moment.item.innerHTML = '<b></b> <time></time> <span></span>'
  for (const [index, part] of [letter, moment.clock, moment.text].entries()) moment.item.children[index].textContent = part
  moments.push(moment)
  return moment
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
  moments = moments.filter(({ end }) => performance.now() - end < BUCKETS * BUCKET_MS)
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
const root = document.documentElement
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
  [[0.3, 0.3, 0.4, 0.4]],
  [[0.2, 0.4, 0.6, 0.2]],
  [[0.4, 0.2, 0.2, 0.6]],
  [
    [0.4, 0.2, 0.2, 0.6],
    [0.2, 0.4, 0.6, 0.2],
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
 * @param {{ row: number, failed?: boolean, unanswered?: boolean | undefined, moment?: Moment | undefined }} entry
 */
function square(ctx, x, y, size, { row, failed, unanswered, moment }) {
  const line = Math.max(1, Math.round(size / 9))
  ctx.fillStyle = colourOf(row)
  ctx.fillRect(x, y, size, size)
  if (moment) {
    flag(ctx, x + line, y + line, size - 2 * line, moment, failed)
    return
  }
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

/**
 * The letter of a moment, in a box.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {Moment} moment
 * @param {boolean} [failed]
 */
function flag(ctx, x, y, size, { letter }, failed) {
  ctx.fillStyle = failed ? failure() : text()
  ctx.fillRect(x, y, size, size)
  ctx.fillStyle = panel()
  ctx.font = `bold ${size * 0.8}px system-ui, sans-serif`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillText(letter, x + size / 2, y + size * 0.55)
}

/** As many columns as make the squares largest: the grid fills any shape. */
function layOut() {
  const { width, height } = context(grid).canvas
  const cellOf = (/** @type {number} */ columns) => Math.min(width / columns, height / Math.ceil(WINDOW / columns))
  columns = 1
  for (let more = 2; more <= 100; more++) if (cellOf(more) > cellOf(columns)) columns = more
  cell = cellOf(columns)
}
let columns = 1
let cell = 0

function drawSquare(/** @type {number} */ index) {
  const entry = asked[index]
  const ctx = context(grid)
  const gap = Math.max(1, Math.round(cell / 10))
  const x = Math.round((index % columns) * cell)
  const y = Math.round(Math.floor(index / columns) * cell)
  const size = Math.round(cell) - 2 * gap
  ctx.clearRect(x, y, Math.ceil(cell), Math.ceil(cell))
  if (!entry) {
    ctx.lineWidth = 1
    ctx.strokeStyle = dark.matches ? '#303742' : '#d5d9e0'
    ctx.strokeRect(x + gap + 0.5, y + gap + 0.5, size - 1, size - 1)
    return
  }
  if (index === (total - 1) % WINDOW || index === picked) {
    ctx.fillStyle = text()
    ctx.fillRect(x, y, size + 2 * gap, size + 2 * gap)
  }
  square(ctx, x + gap, y + gap, size, entry)
}

function drawStrip() {
  const ctx = context(strip)
  const { width, height } = strip
  if (width === 0) return
  ctx.clearRect(0, 0, width, height)
  // A column of its own only once there is something in it, or nothing was asked.
  const now = buckets.at(-1)?.time === currentBucket() - 1 ? currentBucket() - 1 : currentBucket()
  const span = now - (buckets[0]?.time ?? now) + 1
  const column = width / span
  put(element('span'), span < BUCKETS ? `${(span * BUCKET_MS) / 1000} s` : '3 minutes')
  const tiles = new Map(order.map((row) => [row, ctx.createPattern(tile(row), 'repeat')]))
  for (const { time, counts, failures } of buckets) {
    const age = now - time
    const left = Math.round(width - (age + 1) * column)
    const across = Math.round(width - age * column) - left
    const sum = counts.reduce((a, b) => a + b, 0)
    let y = height
    for (const row of order) {
      const part = (/** @type {Uint32Array} */ of) => (of[row] / sum) * height
      y -= part(counts)
      ctx.fillStyle = tiles.get(row) ?? ''
      ctx.fillRect(left, y, across, part(counts))
      ctx.fillStyle = panel()
      ctx.fillRect(left, y, across, part(failures))
      ctx.fillStyle = failure()
      const step = 6 * devicePixelRatio
      for (let offset = 0; offset < part(failures); offset += step) {
        ctx.fillRect(left, y + offset, across, Math.min(step / 2, part(failures) - offset))
      }
    }
  }
  const size = 16 * devicePixelRatio
  let [last, level] = [Number.NEGATIVE_INFINITY, 0]
  for (const moment of moments) {
    const x = Math.min(width, Math.round(width - (now + 1 - moment.end / BUCKET_MS) * column))
    level = x - last < size ? level + 1 : 0
    last = x
    ctx.fillStyle = panel()
    ctx.fillRect(x - 2 * devicePixelRatio, 0, 4 * devicePixelRatio, height)
    ctx.fillStyle = text()
    ctx.fillRect(x - devicePixelRatio, 0, 2 * devicePixelRatio, height)
    flag(ctx, Math.min(x, width - size), level * size, size, moment)
  }
}

/** A log, to which a screen reader listens: what stays in it stays the same element. */
function drawMoments() {
  const shown = moments.slice(-MOMENTS)
  const items = new Set(shown.map(({ item }) => item))
  for (const item of [...element('moments').children]) if (!items.has(/** @type {HTMLElement} */ (item))) item.remove()
  for (const { item } of shown) if (!item.isConnected) element('moments').append(item)
}

/** A row's colour and mark, to fill an area with. */
function tile(/** @type {number} */ row) {
  const size = 16 * devicePixelRatio
  const canvas = new OffscreenCanvas(size, size)
  const ctx = /** @type {any} */ (canvas.getContext('2d'))
  ctx.fillStyle = colourOf(row)
  ctx.fillRect(0, 0, size, size)
  square(ctx, size / 8, size / 8, size / 2, { row })
  return canvas
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
  root.style.setProperty('--cards', `${Math.max(2, cards.size)}`)
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
  // Where little but the configured split stands beside it, what came before that split would puzzle.
  const since = root.classList.contains('room') ? epoch : 0
  const isSince = (/** @type {Asked} */ entry) => entry.epoch >= since
  const errors = entries.filter(({ failed }) => failed)
  const times = entries.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b)
  const outcomes = tally(
    errors.map(({ outcome }) => outcome),
    (outcome, count) => `${count} × ${outcome}`,
  )

  put(field('name'), nameOf(row))
  put(field('role'), tally(entries.map(({ role }) => role)).join(', '))
  put(field('share'), percent(entries.filter(isSince).length / asked.filter(isSince).length || 0))
  put(field('interval'), `of ${n} requests (95 %: ${range([low, high])})`)
  put(field('configured'), configuredFor(entries))
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

/** What the route announces for the role of these, for when the table is not on show. */
function configuredFor(/** @type {Asked[]} */ entries) {
  const [stable = 0, canary = 0] = weightsIn(announced) ?? []
  const { role } = entries.at(-1) ?? {}
  if (stable + canary === 0 || (role !== 'stable' && role !== 'canary')) return ''
  return `${role} configured: ${percent((role === 'stable' ? stable : canary) / (stable + canary))}`
}

function drawSplit() {
  const verdict = element('verdict')
  const say = (/** @type {string} */ kind, /** @type {string} */ sentence, evidence = '') => {
    verdict.dataset.verdict = kind
    put(verdict, sentence)
    put(element('evidence'), evidence)
  }
  const weights = weightsIn(announced)
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
  drawMoments()
  drawPicked()
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
  layOut()
  for (let index = 0; index < WINDOW; index++) drawSquare(index)
}

// Looking at one request

/** The square that the pointer or the arrow keys are on. */
let picked = -1

function pick(/** @type {number} */ index) {
  const left = picked
  picked = asked[index] ? index : -1
  for (const changed of [left, picked]) if (changed >= 0) drawSquare(changed)
  drawPicked()
}

/** Who, what, when and how long; below its square, or above where it would hide what comes next. */
function drawPicked() {
  const about = element('about')
  const entry = asked[picked]
  about.hidden = !entry
  grid.ariaValueMax = `${Math.max(1, asked.length)}`
  grid.ariaValueNow = `${picked + 1}`
  if (!entry) {
    grid.ariaValueText = 'none picked'
    return
  }
  const { row, role, pod, outcome, clock, ms, moment } = entry
  const who = [nameOf(row), role, pod].filter(Boolean).join(', ')
  const what = `${outcome} at ${clock}${ms === undefined ? '' : `, after ${milliseconds(ms)}`}`
  put(about, [who, what, ...(moment ? [`${moment.letter}: ${moment.text}`] : [])].join('\n'))
  grid.ariaValueText = about.textContent
  const scale = cell / devicePixelRatio
  const [column, line] = [picked % columns, Math.floor(picked / columns)]
  const room = grid.clientWidth - about.offsetWidth
  const isLow = (line + 1) * scale + about.offsetHeight > grid.clientHeight
  const top = isLow ? line * scale - about.offsetHeight - 4 : (line + 1) * scale + 4
  about.style.left = `${grid.offsetLeft + Math.max(0, Math.min(column * scale, room))}px`
  about.style.top = `${grid.offsetTop + top}px`
}

function pickAt(/** @type {PointerEvent} */ { offsetX, offsetY }) {
  const scale = cell / devicePixelRatio
  const [column, line] = [Math.floor(offsetX / scale), Math.floor(offsetY / scale)]
  pick(column < columns ? line * columns + column : -1)
}

grid.addEventListener('pointermove', pickAt)
grid.addEventListener('pointerdown', pickAt)
grid.addEventListener('pointerleave', ({ pointerType }) => pointerType === 'mouse' && pick(-1))
grid.addEventListener('blur', () => pick(-1))
grid.addEventListener('keydown', (event) => {
  const newest = (total - 1) % WINDOW
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }
  const step = steps[event.key]
  if (step === undefined || total === 0) return
  event.preventDefault()
  if (picked === -1) pick(newest)
  else if (asked[picked + step]) pick(picked + step)
})

// For a room, and for a chat

/** Shows the grid, the shares and the configured split alone, as large as the screen allows. */
function toggleRoom(wanted = !root.classList.contains('room')) {
  root.classList.toggle('room', wanted)
  put(element('room-label'), wanted ? 'Leave' : 'Full screen')
  // Where it is not allowed, the window has to do.
  if (wanted) root.requestFullscreen?.().catch(() => {})
  else if (document.fullscreenElement) document.exitFullscreen()
  draw()
}

/** The state in one picture, of a size that chats show whole. */
function picture() {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: 1200, height: 640 })
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const write = (/** @type {string | null} */ words, /** @type {number} */ x, /** @type {number} */ y, font = '20px') => {
    Object.assign(ctx, {
      fillStyle: text(),
      font: `${font} system-ui, sans-serif`,
      textAlign: 'left',
      textBaseline: 'alphabetic',
    })
    ctx.fillText(words ?? '', x, y, 1170 - x)
  }
  ctx.fillStyle = panel()
  ctx.fillRect(0, 0, 1200, 640)
  write(`${location.host}, ${new Date().toLocaleDateString('en-CA')} ${clock()}`, 30, 50, 'bold 24px')
  for (const [index, entry] of asked.entries()) square(ctx, 30 + (index % 25) * 27, 80 + Math.floor(index / 25) * 27, 24, entry)
  let y = 105
  for (const row of order.filter((row) => cards.has(row)).slice(0, 4)) {
    const field = (/** @type {string} */ name) => cards.get(row)?.querySelector(`[data-field="${name}"]`)?.textContent
    square(ctx, 740, y - 20, 24, { row, failed: row === NOBODY })
    write(`${field('name')} ${field('role')}`, 775, y, 'bold 22px')
    write(`${field('share')}`, 740, y + 48, 'bold 46px')
    write(`errors ${field('errors')}`, 910, y + 46)
    y += 96
  }
  const lines = [element('verdict').textContent, announced, element('evidence').textContent]
  lines.push(...moments.slice(-MOMENTS).map(({ letter, clock, text }) => `${letter}  ${clock}  ${text}`))
  for (const [index, line] of lines.filter(Boolean).entries()) write(line, 740, y + 28 * index)
  return canvas
}

async function share() {
  const label = element('share-label')
  /** @type {Promise<Blob | null>} */
  const blob = new Promise((resolve) => picture().toBlob(resolve))
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': /** @type {Promise<Blob>} */ (blob) })])
    put(label, 'Picture copied')
  } catch {
    // Without TLS a page may not write to the clipboard, unless it comes from this machine.
    const link = document.createElement('a')
    link.href = URL.createObjectURL(/** @type {Blob} */ (await blob))
    link.download = `devops-api-${clock().replaceAll(':', '-')}.png`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 4000)
    put(label, 'Picture saved')
  }
  setTimeout(() => put(label, 'Copy picture'), 4000)
}

pause.addEventListener('click', togglePause)
element('room').addEventListener('click', () => toggleRoom())
element('share').addEventListener('click', share)
rate.addEventListener('input', () => {
  element('rate-value').textContent = rate.value
  schedule()
})
element('controls').addEventListener('submit', (event) => event.preventDefault())
addEventListener('keydown', (event) => {
  const { key, target, repeat, altKey, ctrlKey, metaKey } = event
  if (repeat || altKey || ctrlKey || metaKey) return
  if (key === ' ') {
    if (target instanceof HTMLButtonElement) return
    event.preventDefault()
    togglePause()
  } else if (key === 'f') toggleRoom()
  else if (key === 'c') share()
  else if (key === 'Escape') {
    if (picked >= 0) pick(-1)
    else toggleRoom(false)
  }
})
document.addEventListener('fullscreenchange', () => document.fullscreenElement ?? toggleRoom(false))
document.addEventListener('visibilitychange', () => schedule())
dark.addEventListener('change', drawAll)
new ResizeObserver(drawAll).observe(grid)
setInterval(() => {
  if (!document.hidden) draw()
}, DRAW_MS)
schedule()
