import type { Command } from 'commander'
import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { type PastRevision, readPastRevisions } from '../cluster/readPastRevisions.ts'
import { addChart, addReleases, type ReleasesOptions } from '../options.ts'
import { historyText } from '../output/historyText.ts'
import type { HistoryOutput } from '../output/outputs.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { parseDescription } from '../promotion/releaseDescription.ts'

interface Options extends ReleasesOptions {
  chart: string
  json?: true
}

/** `history`: what was done to both releases, by whom and why, as far as Helm remembers. */
export function historyCommand(program: Command, terminal: Terminal): void {
  addReleases(
    addChart(
      program
        .command('history')
        .description(
          'Show the revisions of both releases that Helm remembers, the oldest first: when, weights, version, what was done, and why.',
        ),
    ),
  )
    .option('--json', 'print one JSON object')
    .action((options: Options) => run(options, terminal))
}

async function run({ json, ...place }: Options, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const tools = new HelmAndKubectl(place, terminal)
  const revisions = await readPastRevisions(tools)
  const history: HistoryOutput = { revisions: revisions.map(revisionOutput) }
  stdout.write(json ? `${JSON.stringify(history)}\n` : historyText(history, tools.names, columnsOf(stdout), painter(stdout)))
}

function revisionOutput({ role, revision, at, status, chart, description, weights, version }: PastRevision) {
  const change = parseDescription(description)
  const { judged } = change ?? {}
  return {
    at: new Date(at).toISOString(),
    role,
    revision,
    status,
    weights: weights ?? null,
    version: version ?? null,
    chart,
    command: change?.command ?? null,
    step: change?.step ?? description,
    judged: judged ? { ...judged, gates: [...judged.gates] } : null,
    because: change?.because ?? null,
  }
}
