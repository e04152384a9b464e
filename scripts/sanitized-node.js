'use strict';

// What is common to the tests that run inside Node with a sanitizer: Node itself is built without
// one, so its runtime is preloaded.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { ownHeaders } = require('./own-headers.js');
const { chooseTools } = require('./tools.js');

const root = path.join(__dirname, '..');

/** Runs a command in sight; whether it ended well. */
function run(command, args, options) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) throw error;
  return status === 0;
}

function copyRepository(folder) {
  const others = ['.git', 'build', 'prebuilds'];
  const filter = (file) => path.dirname(file).includes('node_modules') ||
    path.basename(file) !== 'build';
  for (const name of fs.readdirSync(root).filter((each) => !others.includes(each))) {
    fs.cpSync(path.join(root, name), path.join(folder, name),
      { recursive: true, verbatimSymlinks: true, filter });
  }
}

/** The environment in which node-gyp builds with `sanitizers`. */
function buildEnvironment(sanitizers) {
  const flags = ['-O1', '-g', ...chooseTools({ sanitize: sanitizers }).flags].join(' ');
  return { ...process.env, ...ownHeaders(), CC: 'gcc', CXX: 'g++', CFLAGS: flags, CXXFLAGS: flags,
    LDFLAGS: flags };
}

function library(name) {
  return execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

/**
 * The environment in which what was built with ASan and UBSan runs; `folder` gets the files that it
 * names.
 */
function asanEnvironment(folder) {
  const { env } = chooseTools({ sanitize: 'address,undefined' });
  const suppressions = path.join(folder, 'leaks-of-node');
  fs.writeFileSync(suppressions, `leak:^${process.execPath}$\n`);
  fs.writeFileSync(path.join(folder, `options-of-${path.basename(process.execPath)}`),
    'detect_leaks=1\n');
  const options = [
    env.ASAN_OPTIONS,
    // The frames that ASan can put aside for locals are no memory in which it looks for pointers to
    // blocks.
    'detect_stack_use_after_return=0',
    // malloc and who called it: with more, nearly every allocation would have one of Node's frames,
    // and be left out with those of Node.
    'malloc_context_size=2',
    // Python and make, which tests start too, leave blocks behind.
    'detect_leaks=0',
    `include_if_exists=${folder}/options-of-%b`,
  ];
  return {
    ...buildEnvironment('address,undefined'),
    LD_PRELOAD: library('libasan.so'),
    ASAN_OPTIONS: options.join(':'),
    UBSAN_OPTIONS: env.UBSAN_OPTIONS,
    LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
  };
}

/**
 * The environment in which what was built with TSan runs; its reports go to files in `folder` and
 * end nothing: some are of Node.
 */
function tsanEnvironment(folder) {
  const { env } = chooseTools({ sanitize: 'thread' });
  const options = [env.TSAN_OPTIONS, 'halt_on_error=0', 'exitcode=0',
    `log_path=${path.join(folder, 'report')}`];
  return { ...buildEnvironment('thread'), LD_PRELOAD: library('libtsan.so'),
    TSAN_OPTIONS: options.join(':') };
}

/**
 * Builds the addon and those of the tests with `sanitizers` in a copy of the repository, so that
 * what is built in the repository stays what it is, calls `use` with its folder, removes it; what
 * `use` has returned.
 */
function inSanitizedCopy(sanitizers, use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-sanitized-'));
  try {
    copyRepository(folder);
    for (const script of ['build', 'build:test']) {
      const built = run('npm', ['run', '--silent', script, '--', '--silent'],
        { cwd: folder, env: buildEnvironment(sanitizers) });
      if (!built) throw new Error(`npm run ${script} failed`);
    }
    return use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs mocha in the copy, where every process of a test takes seconds; whether all passed. */
function runMocha(folder, args, env) {
  const mocha = path.join(folder, 'node_modules/mocha/bin/mocha.js');
  return run(process.execPath, [mocha, '--timeout', '120000', ...args], { cwd: folder, env });
}

module.exports = { asanEnvironment, tsanEnvironment, inSanitizedCopy, runMocha };
