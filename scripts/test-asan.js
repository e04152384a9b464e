'use strict';

// npm run test:asan -- [MOCHA'S ARGUMENTS]: builds the addon and those of the tests with ASan and UBSan, in a copy of the repository, and
// runs the mocha suite on them, or what the arguments name. In every process of a test, leaks are looked for at its end: an allocation
// counts unless Node's own code made it.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { ownHeaders } = require('./own-headers.js');
const { chooseTools } = require('./tools.js');

const root = path.join(__dirname, '..');
const tools = chooseTools({ sanitize: 'address,undefined' });

const LEFT_OUT = {
  'test/c.test.js': 'npm run test:c -- --sanitize runs these tests, each in a process of its own, so that a leak has a name',
  'test/debugger.test.js': 'gdb and perf would be what is preloaded into',
  'test/guide.test.js': 'installs and builds packages of its own, without a sanitizer',
  'test/new.test.js': 'makes and builds packages of its own, without a sanitizer',
  'test/package.test.js': 'makes packages and binaries of its own, without a sanitizer',
  'test/runtimes.test.js': 'Bun and Deno cannot be preloaded into, and where no binary loads there is nothing to look at',
};

const CANARY = 'frames between red zones are wider than the canary';
const SKIP = new Map([
  ['a stack overflow with a canary by recursion is noticed when the coroutine waits', CANARY],
  ['a stack overflow with a canary by recursion, in a worker too', CANARY],
  ['.* wakes threads that wait, and tells of every call', 'it wants some thousand calls of a worker in 20 ms'],
  ['.* leave nothing behind, taken or refused', 'ASan keeps freed memory aside, and what is resident is measured'],
]);

function run(command, args, options) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) throw error;
  return status === 0;
}

/** A copy, so that what is built in the repository stays what it is. */
function copyRepository(folder) {
  const others = ['.git', 'build', 'prebuilds'];
  const filter = (file) => path.dirname(file).includes('node_modules') || path.basename(file) !== 'build';
  for (const name of fs.readdirSync(root).filter((each) => !others.includes(each))) {
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true, verbatimSymlinks: true, filter });
  }
}

function build(folder, env) {
  for (const script of ['build', 'build:test']) {
    if (!run('npm', ['run', '--silent', script, '--', '--silent'], { cwd: folder, env })) throw new Error(`npm run ${script} failed`);
  }
}

function buildEnvironment() {
  const flags = ['-O1', '-g', ...tools.flags].join(' ');
  return { ...process.env, ...ownHeaders(), CC: 'gcc', CXX: 'g++', CFLAGS: flags, LDFLAGS: flags };
}

function testEnvironment(folder) {
  const suppressions = path.join(folder, 'build', 'leaks-of-node');
  fs.writeFileSync(suppressions, `leak:^${process.execPath}$\n`);
  fs.writeFileSync(path.join(folder, 'build', `options-of-${path.basename(process.execPath)}`), 'detect_leaks=1\n');
  const options = [
    tools.env.ASAN_OPTIONS,
    // The frames that ASan can put aside for locals are no memory in which it looks for pointers to blocks.
    'detect_stack_use_after_return=0',
    // malloc and who called it: with more, nearly every allocation would have one of Node's frames, and be left out with those of Node.
    'malloc_context_size=2',
    // Python and make, which tests start too, leave blocks behind.
    'detect_leaks=0',
    `include_if_exists=${folder}/build/options-of-%b`,
  ];
  return {
    ...buildEnvironment(),
    LD_PRELOAD: execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim(),
    ASAN_OPTIONS: options.join(':'),
    UBSAN_OPTIONS: tools.env.UBSAN_OPTIONS,
    LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
  };
}

/** Mocha's arguments for all files and tests but those that are named above. */
function wholeSuite() {
  for (const [what, reason] of [...Object.entries(LEFT_OUT), ...SKIP]) console.log(`  skipped ${what}: ${reason}`);
  const ignored = Object.keys(LEFT_OUT).flatMap((file) => ['--ignore', file]);
  return ['test/**/*.test.js', ...ignored];
}

function main(args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-asan-'));
  try {
    copyRepository(folder);
    build(folder, buildEnvironment());
    const mocha = path.join(folder, 'node_modules/mocha/bin/mocha.js');
    // Every process of a test takes seconds.
    const options = ['--timeout', '120000', '--invert', '--grep', `^(${[...SKIP.keys()].join('|')})$`];
    const chosen = args.length > 0 ? args : wholeSuite();
    return run(process.execPath, [mocha, ...options, ...chosen], { cwd: folder, env: testEnvironment(folder) });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = main(process.argv.slice(2)) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
