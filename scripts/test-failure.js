'use strict';

// npm run test:failure -- [--cc CC[,CC...]] [SCENARIO...]
// Builds src/core, src/io and test/failure with ASan and UBSan so that every call in src that can fail goes through
// test/failure/calls.h, and runs the scenarios (all, or these), each once for every call that it leads to.

const { execFile, execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs, promisify } = require('util');
const { addCounts } = require('./counts.js');

const run = promisify(execFile);
const root = path.join(__dirname, '..');
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const FLAGS = [
  '-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden', '-pthread', '-Iinclude', ...SANITIZE,
];

// What src calls and test/failure/calls.h does not let fail, because it does not fail, or because nothing depends on it.
const NEVER_FAIL = new Map(Object.entries({
  'always 0 with arguments such as ours, says libuv':
    'uv_async_send uv_check_init uv_check_start uv_idle_init uv_idle_start uv_idle_stop uv_timer_init uv_timer_start uv_timer_stop',
  'give nothing that could be an error':
    `uv_buf_init uv_close uv_err_name uv_fs_req_cleanup uv_hrtime uv_is_active uv_is_closing uv_mutex_destroy uv_mutex_lock
     uv_mutex_unlock uv_now uv_once uv_ref uv_strerror uv_unref free munmap memcpy memset memmove strcmp strlen strstr abort raise
     __errno_location sched_yield sysconf ceil atoi strtol fflush sigfillset sigemptyset sigaddset sigdelset sigismember`,
  'their result is the answer, whatever it is': 'uv_fs_scandir_next uv_run mincore getenv close read',
  'only words that a person reads': 'fprintf fputs fputc vfprintf snprintf fwrite write stderr',
  'handled as no message': 'vsnprintf',
  'fails only for signals that do not exist': 'sigaction sigprocmask pthread_sigmask',
}).flatMap(([reason, names]) => names.split(/\s+/).map((name) => [name, reason])));

function words(text) {
  return text.split(/\s+/).filter(Boolean);
}

function sources(...folders) {
  const text = execFileSync(process.execPath, ['gyp/sources.js', ...folders], { cwd: root, encoding: 'utf8' });
  return text.trim().split('\n').map((line) => JSON.parse(line));
}

async function compile(compiler, folder, files, flags) {
  const objects = files.map((file) => path.join(folder, `${file.replaceAll('/', '_')}.o`));
  const jobs = files.map((file, i) => [...FLAGS, ...flags, '-c', file, '-o', objects[i]]);
  const worker = async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) await run(compiler, job, { cwd: root });
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return objects;
}

function symbols(object, ...flags) {
  const text = execFileSync('nm', ['--format=posix', ...flags, object], { encoding: 'utf8', stdio: 'pipe' });
  return text.split('\n').filter(Boolean).map((line) => line.split(' ')[0]);
}

/** Functions that src calls of which nobody has said whether they fail. */
function unknownCalls(objects) {
  const own = new Set(objects.flatMap((object) => symbols(object, '--defined-only')));
  const header = fs.readFileSync(path.join(root, 'test/failure/calls.h'), 'utf8');
  for (const [, name] of header.matchAll(/^#define (\w+)\(/gm)) own.add(name);
  const called = objects.flatMap((object) => symbols(object, '--undefined-only'));
  const instruments = /^(failure_|_*(asan|lsan|ubsan|sanitizer)_|__(start|stop)_|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__stack_chk_fail)/;
  return [...new Set(called)].filter((name) => !own.has(name) && !NEVER_FAIL.has(name) && !instruments.test(name));
}

async function build(compiler) {
  const folder = path.join(root, 'build', 'failure', path.basename(compiler));
  fs.mkdirSync(folder, { recursive: true });
  const uv = words(execFileSync('pkg-config', ['--cflags', '--libs', 'libuv'], { encoding: 'utf8' }));
  const include = uv.filter((flag) => /^-[ID]/.test(flag));
  const tested = await compile(compiler, folder, sources('src/core:.c', 'src/io:.c'), [...include, '-include', 'test/failure/calls.h']);
  tested.push(...await compile(compiler, folder, sources('src/core/arch:.S'), include));
  const objects = [...tested, ...await compile(compiler, folder, sources('test/failure:.c'), include)];
  const program = path.join(folder, 'run');
  const wrap = ['-Wl,--wrap=free', '-Wl,--wrap=munmap'];
  await run(compiler, [...objects, '-o', program, '-pthread', ...SANITIZE, ...wrap, ...uv, '-lm']);
  return { program, unknown: unknownCalls(tested) };
}

async function runWith(compiler, names) {
  console.log(`\n${compiler} ${SANITIZE[0]}`);
  const { program, unknown } = await build(compiler);
  for (const name of unknown) console.log(`  not ok: src calls ${name}: test/failure/calls.h has to say how it fails, or NEVER_FAIL why not`);
  // What the sanitizers would take from the tests: blocks are counted by the program itself, and the alternate stack is fibril's.
  const ASAN_OPTIONS = 'detect_leaks=0:use_sigaltstack=0';
  const child = spawnSync(program, names, { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS }, maxBuffer: 2 ** 28 });
  process.stdout.write(child.stdout + child.stderr);
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(child.stdout) || [null, '0', '1'];
  return { passed: Number(passed), failed: Number(failed) + unknown.length };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { cc: { type: 'string', default: process.env.CC || 'cc' } },
  });
  for (const compiler of values.cc.split(',')) {
    const counts = await runWith(compiler, positionals);
    addCounts(counts);
    if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(error.stderr || error.message);
  process.exitCode = 1;
});
