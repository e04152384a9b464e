'use strict';

// The figures of docs/reliability.md, from a run of .ci/run:
//   node scripts/figures.js collect STEPS FIGURES   what a run has left, as JSON (.ci/run calls it)
//   npm run figures [-- FILE]                       takes a run's JSON (build/figures.json) over
//   node scripts/figures.js --check                 the page has what docs/figures.json says

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const KEPT = path.join(root, 'docs', 'figures.json');
const PAGE = path.join(root, 'docs', 'reliability.md');
const BEGIN = '<!-- figures: npm run figures -->\n';
const END = '<!-- end of figures -->\n';

function lines(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

function collect(steps, figures) {
  return {
    on: {
      date: new Date().toISOString().slice(0, 10),
      system: `${os.type()} ${os.release().split('.').slice(0, 2).join('.')}, ${process.arch}`,
      processors: os.availableParallelism(),
      node: process.version,
      gcc: execFileSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).trim(),
    },
    steps: lines(steps).map((line) => {
      const [title, passed, failed, seconds] = line.split('\t');
      return { title, passed: Number(passed), failed: Number(failed), seconds: Number(seconds) };
    }),
    figures: Object.assign({}, ...lines(figures).map((line) => JSON.parse(line))),
  };
}

const show = (value) => (typeof value === 'number' ? value.toLocaleString('en') : value);

function print({ on, steps, figures }) {
  const { date, system, processors, node, gcc } = on;
  const names = Object.keys(figures).sort();
  return [
    `${date}, ${system}, ${processors} processors, Node ${node}, gcc ${gcc}; steps run side by side.`,
    '',
    '| step | passed | failed | seconds |',
    '| --- | ---: | ---: | ---: |',
    ...steps.map(({ title, passed, failed, seconds }) =>
      `| ${title} | ${show(passed)} | ${show(failed)} | ${show(seconds)} |`),
    '',
    '| figure | |',
    '| --- | ---: |',
    ...names.map((name) => `| ${name} | ${show(figures[name])} |`),
    '',
  ].join('\n');
}

/** The page with the figures that are kept. */
function pageWithFigures() {
  const page = fs.readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for figures`);
  const kept = JSON.parse(fs.readFileSync(KEPT, 'utf8'));
  return page.slice(0, begin + BEGIN.length) + print(kept) + page.slice(end);
}

function main([command, ...args]) {
  if (command === 'collect') {
    console.log(JSON.stringify(collect(...args), null, 2));
  } else if (command === '--check') {
    if (pageWithFigures() === fs.readFileSync(PAGE, 'utf8')) return;
    console.error(
      'docs/reliability.md has other figures than docs/figures.json: npm run figures -- docs/figures.json');
    process.exitCode = 1;
  } else if (command === 'take') {
    const figures = fs.readFileSync(args[0] ?? path.join(root, 'build', 'figures.json'), 'utf8');
    fs.writeFileSync(KEPT, figures);
    fs.writeFileSync(PAGE, pageWithFigures());
  } else {
    throw new TypeError(`collect, take or --check, not ${command}`);
  }
}

main(process.argv.slice(2));
