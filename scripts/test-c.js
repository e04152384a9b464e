'use strict';

// npm run test:c -- [--cc CC[,CC...]] [-O LEVEL[,LEVEL...]] [--libuv FLAGS] [--runner COMMAND]
//                   [--skip NAME[,NAME...]] [--folder FOLDER] [--sanitize SANITIZER[,SANITIZER]]
//                   [--valgrind] [--switch portable] [--part N/M] [--file FILE[,FILE...]]
//                   [NAME...] [-- FLAG...]
// Builds src/core, src/io and test/c against libuv, without Node-API, once for each compiler and
// optimisation level, and runs the C tests (all, or those whose name contains a NAME). FLAGS: where
// libuv is, by default what pkg-config says. COMMAND: what runs the program, for cross-compilers.
// --skip: tests to leave out. --folder: another one with tests. --sanitize, --valgrind: builds for
// these tools and runs under them, without the tests that scripts/tools.js names. --switch
// portable: the .S file's switch instead of the inline one. --part: every M-th of the tests,
// beginning with the N-th. --file: the tests of these files, named without their folder and .c.
// What follows -- goes to the compiler. A line that a test writes to stdout with "# " in front is
// printed: a figure, or why it does less than it would.

const { execFile, execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs, promisify } = require('util');
const { judge } = require('../test/c/judge.js');
const { compileAll, findLibuv, forCompiler, listSources, words } = require('./compile.js');
const { addCounts } = require('./counts.js');
const { writeRecorder } = require('./provoked.js');
const { chooseTools } = require('./tools.js');

const root = path.join(__dirname, '..');
const run = promisify(execFile);
const FLAGS = [
  '-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden',
  '-fstack-clash-protection', '-pthread', '-DFIBRIL_DEBUG=1',
];

function sources(tests) {
  const files = listSources('src/core/:.c,.S', 'src/io/:.c', `${tests}:.c`);
  return [...new Set([...files, 'test/c/harness.c', 'test/c/main.c'])];
}

async function build(compiler, level, { uv, extra, tests, tools }) {
  const name = [path.basename(compiler), `O${level}`, ...tools.names].join('-');
  const folder = path.join(root, 'build', path.basename(tests), name);
  fs.mkdirSync(folder, { recursive: true });
  const flags = [...FLAGS, `-O${level}`, ...tools.flags, ...extra, ...forCompiler(uv)];
  const own = sources(tests);
  const noting = [...flags, '-include',
    path.relative(root, writeRecorder(path.join(root, 'build')))];
  const objects = [
    ...await compileAll(compiler, flags, own.filter((file) => file.startsWith('src/')), folder),
    ...await compileAll(compiler, noting, own.filter((file) => !file.startsWith('src/')), folder),
  ];
  const program = path.join(folder, 'tests');
  await run(compiler, [...objects, '-o', program, '-pthread', ...tools.flags, ...extra, ...uv,
    '-lm']);
  return program;
}

function list([command, ...args], env) {
  const text = execFileSync(command, args, { encoding: 'utf8', env });
  return text.trimEnd().split('\n').map((line) => {
    const fields = line.split('\t').map((field) => JSON.parse(`"${field}"`));
    const [name, kind, ending, pattern, file] = fields;
    return { name, kind, ending, pattern, file: path.basename(file, '.c') };
  });
}

// A process for each: a test that dies takes no other one with it.
function runTest([command, ...args], test, env) {
  const child = spawnSync(command, [...args, test.name],
    { encoding: 'utf8', timeout: 240000, env });
  const lines = child.stdout.split('\n');
  for (const line of lines) if (line.startsWith('# ')) console.log(`  ${line}`);
  const failures = lines.filter((line) => line.startsWith('  ')).map((line) => line.slice(2));
  return judge(test, {
    ended: child.signal || String(child.status),
    failures: failures.join('\n'),
    stderr: child.stderr.replace(/^qemu: uncaught target signal.*\n/gm,
      ''), // the emulator's own last words
  });
}

async function runMatrixEntry(compiler, level, options, counts) {
  console.log(`\n${[...options.tools.runner, compiler, `-O${level}`, ...options.tools.flags,
    ...options.extra].join(' ')}`);
  const built = await build(compiler, level, options);
  const env = { ...process.env, ...options.tools.env };
  const program = [...options.runner, ...options.tools.runner, built];
  const [part, parts] = options.part;
  for (const test of list([...options.runner, built], env)
    .filter((_, i) => i % parts === part - 1)) {
    const reason = options.tools.skip.get(test.name);
    if (reason || options.skip.includes(test.name)) {
      console.log(`  skipped ${test.name}${reason ? `: ${reason}` : ''}`);
      continue;
    }
    if (options.files && !options.files.includes(test.file)) continue;
    if (options.names.length > 0 && !options.names.some((name) => test.name.includes(name))) {
      continue;
    }
    const problem = runTest(program, test, env);
    counts[problem ? 'failed' : 'passed'] += 1;
    console.log(problem ? `  not ok ${test.name}\n    ${problem.replaceAll('\n',
      '\n    ')}` : `  ok ${test.name}`);
  }
}

function readOptions(argv) {
  const at = argv.indexOf('--');
  const own = at < 0 ? argv : argv.slice(0, at);
  const { values, positionals } = parseArgs({
    args: own,
    allowPositionals: true,
    options: {
      cc: { type: 'string', default: process.env.CC || 'cc' },
      level: { type: 'string', short: 'O', default: '2' },
      libuv: { type: 'string' },
      runner: { type: 'string', default: '' },
      skip: { type: 'string', default: '' },
      folder: { type: 'string', default: 'test/c' },
      sanitize: { type: 'string' },
      valgrind: { type: 'boolean' },
      switch: { type: 'string' },
      part: { type: 'string', default: '1/1' },
      file: { type: 'string' },
    },
  });
  if (!/^[1-9]\d*\/[1-9]\d*$/.test(values.part)) {
    throw new Error(`--part: such as 1/4, not ${values.part}`);
  }
  return {
    compilers: values.cc.split(','),
    levels: values.level.split(','),
    names: positionals,
    files: values.file?.split(','),
    uv: values.libuv ? words(values.libuv) : findLibuv(),
    runner: words(values.runner),
    skip: values.skip.split(','),
    tests: values.folder,
    part: values.part.split('/').map(Number),
    tools: chooseTools(values),
    extra: at < 0 ? [] : argv.slice(at + 1),
  };
}

async function main() {
  const chosen = readOptions(process.argv.slice(2));
  const counts = { passed: 0, failed: 0 };
  for (const compiler of chosen.compilers) {
    for (const level of chosen.levels) await runMatrixEntry(compiler, level, chosen, counts);
  }
  addCounts(counts);
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.stderr || error.message);
  process.exitCode = 1;
});
