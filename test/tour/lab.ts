import { lessons } from '../../src/tour/lessons.ts'
import { lessonText, lessonTitle } from '../../src/tour/lessonText.ts'
import { demoPlace } from '../../src/tour/place.ts'

const title = 'A canary, from the first request to the rollback'
const place = demoPlace('http://localhost:8000')
const folder = 'docs/tour'
const numbers = lessons.map((_, index) => index + 1)

const readme = `# ${title}

A course of ${lessons.length} lessons on a laptop, with Node alone: no cluster, no container. Who knows curl and YAML\nneeds half an hour for the first nine, and no other page; three more are for the curious.

\`\`\`sh
npm ci
npm run tour
\`\`\`

It starts the [demo](../../README.md#on-your-machine) on a copy of the chart, in the folder \`tour\`, and shows the lessons one by one. Open the
live page beside it, edit the files in your editor, and type the commands in a second terminal. Enter asks whether a lesson is done; the
answer is found by asking the gateway and reading your files. Progress is kept; \`rm -r tour\` removes all of it.

| to | type |
| --- | --- |
| begin elsewhere, or anew | \`npm run tour -- --from 4\` |
| have a lesson judged, in a class or a pipeline: exit code 0 or 1 | \`npm run -s tour -- --check 4 --answer b\` |
| watch it being done | \`npm run tour -- --auto\`, or read [a recording](recording.txt) |
| do the same on a [cluster](../cluster.md#on-kind-with-traefik), with \`helm\` | \`npm run tour -- --cluster -n devops-api\` |

## Lessons

${lessons.map(({ title }, index) => `${index + 1}. [${title}](step${index + 1}/text.md)`).join('\n')}

This folder is also a scenario for lab platforms that know the layout of [Killercoda](https://killercoda.com/creators). There the live page cannot be
reached, because the demo listens to its own machine alone: \`npm run -s canary -- watch http://localhost:8000\` shows the same in a terminal.
It was not tried on such a platform.
`

const finish = `# The end

You have seen a split, judged it, moved it, taken it back, and promoted a canary. The CLI does the same steps and judges each of them:
\`npm run canary -- promote --help\`.
`

const setup = `curl -fsSL https://deb.nodesource.com/setup_24.x | bash - && apt-get install -y nodejs
git clone https://github.com/devops-api/devops-api ~/devops-api && cd ~/devops-api && npm ci
curl -fsSL https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-4 | bash
npm run tour
`

const index = {
  title,
  description: `Watch, judge, move, promote and roll back a canary, in ${lessons.length} lessons`,
  details: {
    intro: { text: 'README.md', foreground: 'setup.sh' },
    steps: numbers.map((number) => ({
      title: lessons[number - 1]?.title,
      text: `step${number}/text.md`,
      verify: `step${number}/verify.sh`,
    })),
    finish: { text: 'finish.md' },
  },
  backend: { imageid: 'ubuntu' },
}

const stepText = (number: number) => `# ${lessonTitle(number)}

${lessonText(number, place)}

**Check:** \`npm run -s tour -- --check ${number} --answer a\`, with your answer to the question.

<details><summary>Hints</summary>

${lessons[number - 1]?.hints.map((hint) => `- ${hint}`).join('\n')}

</details>
`

/** The tour to read, which is also a scenario of a hosted lab, by the path of each file. */
export const labFiles: Record<string, string> = {
  [`${folder}/README.md`]: readme,
  [`${folder}/index.json`]: `${JSON.stringify(index, null, 2)}\n`,
  [`${folder}/setup.sh`]: setup,
  [`${folder}/finish.md`]: finish,
  ...Object.fromEntries(
    numbers.flatMap((number) => [
      [`${folder}/step${number}/text.md`, stepText(number)],
      [`${folder}/step${number}/verify.sh`, `cd ~/devops-api && npm run -s tour -- --check ${number}\n`],
    ]),
  ),
}
