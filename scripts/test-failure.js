'use strict';

// npm run test:failure -- [--cc CC[,CC...]] [SCENARIO...]
// Builds src/core, src/io and test/failure with ASan and UBSan so that every call in src that can
// fail goes through test/failure/calls.h, and runs the scenarios (all, or these), each once for
// every call that it leads to. Then the same inside Node, with gcc: src/node and src/addon, with
// the Node-API calls of test/failure/node_calls.h.

const { execFile, execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs, promisify } = require('util');
const { compileAll, findLibuv, forCompiler, listSources } = require('./compile.js');
const { addCounts, addFigures } = require('./counts.js');
const { isOfFailures, missing, readProvoked, writeRecorder } = require('./provoked.js');

const run = promisify(execFile);
const root = path.join(__dirname, '..');
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const FLAGS = [
  '-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden', '-pthread',
  ...SANITIZE,
];

// What src calls and test/failure/calls.h does not let fail, because it does not fail, or because
// nothing depends on it.
const NEVER_FAIL = new Map(Object.entries({
  'what it leaves is nobody\'s trouble': 'unlink',
  'always 0 with arguments such as ours, says libuv':
    'uv_fileno uv_read_stop uv_async_send uv_check_init uv_check_start uv_idle_init uv_idle_start uv_idle_stop uv_timer_init uv_timer_start uv_timer_stop uv_signal_stop',
  'give nothing that could be an error':
    `uv_buf_init uv_walk uv_close uv_dlclose uv_cond_broadcast uv_cond_destroy uv_cond_signal uv_cond_wait uv_err_name uv_fs_req_cleanup uv_hrtime uv_is_active uv_is_closing
     uv_mutex_destroy uv_mutex_lock
     uv_mutex_unlock uv_now uv_once uv_ref uv_strerror uv_thread_self uv_unref uv_translate_sys_error free munmap memcpy memset memmove strcmp strlen strstr abort raise
     bcmp memcmp memchr strncmp strchr strrchr strtod floor strcpy strcspn strspn environ __ctype_b_loc __errno_location sched_yield sysconf ceil atoi strtol fflush sigfillset sigemptyset
     sigaddset sigdelset sigismember closedir dirfd
     memmem strnlen strtoul freeaddrinfo htons ntohs uv_ip4_name uv_ip6_name`,
  'their result is the answer, whatever it is': `uv_dlopen uv_fs_scandir_next uv_run uv_thread_equal mincore uv_os_getenv uv_dlsym waitpid getpid uv_guess_handle access fstat fstat64 ptsname_r ttyname_r close read epoll_wait fcntl
     dl_iterate_phdr napi_unwrap napi_has_element
     if_nametoindex uv_if_indextoname uv_inet_pton uv_ip4_addr`,
  'napi_ok for a live environment and a value of the kind that was asked for first':
    `napi_create_bigint_int64 napi_create_double napi_create_int32 napi_create_uint32 napi_get_boolean napi_get_null
     napi_get_undefined napi_get_global napi_get_cb_info napi_get_reference_value napi_typeof napi_is_arraybuffer napi_is_buffer
     napi_is_error napi_is_exception_pending napi_get_and_clear_last_exception napi_get_value_bool napi_get_value_double
     napi_get_value_int32 napi_get_value_int64 napi_get_value_uint32 napi_get_value_external napi_get_array_length napi_get_typedarray_info napi_get_dataview_info
     napi_is_array napi_is_date napi_get_date_value napi_is_typedarray napi_is_dataview napi_is_detached_arraybuffer napi_get_value_bigint_int64 napi_get_buffer_info napi_get_arraybuffer_info
     napi_open_handle_scope napi_strict_equals napi_reference_ref napi_reference_unref napi_adjust_external_memory`,
  'give back what is there': `napi_close_handle_scope napi_close_escapable_handle_scope napi_close_callback_scope napi_delete_reference napi_remove_async_cleanup_hook
     napi_async_destroy`,
  'the report itself': 'napi_throw_error napi_throw_range_error napi_fatal_exception',
  'only words that a person reads': 'fprintf sprintf fputs fputc vfprintf snprintf fwrite write stderr',
  'handled as no message': 'vsnprintf',
  '"C" is a locale that is there always': 'newlocale uselocale freelocale',
  'fails only for descriptors that are not open': 'dup3 uv_poll_start uv_poll_stop',
  'always 0 with arguments such as ours, say glibc and musl':
    `posix_spawnattr_init posix_spawnattr_destroy posix_spawnattr_setflags posix_spawnattr_setsigdefault posix_spawnattr_setsigmask
     posix_spawn_file_actions_init posix_spawn_file_actions_destroy pthread_attr_init pthread_attr_destroy pthread_attr_setdetachstate
     pthread_attr_setstacksize`,
  'fails only for signals that do not exist': 'sigaction sigprocmask pthread_sigmask',
}).flatMap(([reason, names]) => names.split(/\s+/).map((name) => [name, reason])));

// What include/fibril.h promises and no scenario can bring about, "FUNCTION ERROR", and why.
const UNREACHABLE = new Map([
  ['fibril_stream_address those of getpeername', 'of this end an open socket always knows it'],
]);

function symbols(object, ...flags) {
  const text = execFileSync('nm', ['--format=posix', ...flags, object],
    { encoding: 'utf8', stdio: 'pipe' });
  return text.split('\n').filter(Boolean).map((line) => line.split(' ')[0]);
}

/** Functions that src calls of which nobody has said whether they fail. */
function unknownCalls(objects, headers) {
  const own = new Set(objects.flatMap((object) => symbols(object, '--defined-only')));
  const header = headers.map((name) => fs.readFileSync(path.join(root, 'test/failure', name),
    'utf8')).join('');
  for (const [, name] of header.matchAll(/^#define (\w+)\(/gm)) own.add(name);
  const called = objects.flatMap((object) => symbols(object, '--undefined-only'));
  const instruments =
    /^(failure_|_*(asan|lsan|ubsan|sanitizer)_|__(start|stop)_|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__stack_chk_fail)/;
  return [...new Set(called)].filter((name) => {
    const known = own.has(name) || own.has(name.replace(/64$/, '')) || NEVER_FAIL.has(name);
    return !known && !instruments.test(name);
  });
}

async function build(compiler) {
  const folder = path.join(root, 'build', 'failure', path.basename(compiler));
  fs.mkdirSync(folder, { recursive: true });
  const uv = findLibuv();
  const flags = [...FLAGS, ...forCompiler(uv)];
  const failing = [...flags, '-include', 'test/failure/calls.h'];
  const tested = await compileAll(compiler, failing, listSources('src/core/:.c', 'src/io/:.c'),
    folder);
  tested.push(...await compileAll(compiler, flags, listSources('src/core/:.S'), folder));
  const noting = [...flags, '-include',
    path.relative(root, writeRecorder(path.join(root, 'build')))];
  const objects = [...tested, ...await compileAll(compiler, noting, listSources('test/failure:.c'),
    folder)];
  const program = path.join(folder, 'run');
  const wrap = ['-Wl,--wrap=free', '-Wl,--wrap=munmap'];
  await run(compiler, [...objects, '-o', program, '-pthread', ...SANITIZE, ...wrap, ...uv, '-lm']);
  return { program, unknown: unknownCalls(tested, ['calls.h']) };
}

// The blocks are counted by the program itself, and the alternate signal stack is fibril's: not the
// sanitizer's business.
const ASAN_OPTIONS = 'detect_leaks=0:use_sigaltstack=0';

/** The program's own summary, for docs/reliability.md. */
function addSummary(part, output) {
  const [, calls] = /(?:every one|\d+) of (\d+) calls in src/.exec(output) ?? [];
  const [, runs, reported, tolerated] =
    /(\d+) runs with failures: (\d+) reported, (\d+) tolerated/.exec(output) ?? [];
  if (calls !== undefined) addFigures({ [`${part}: places that can fail`]: Number(calls) });
  if (runs === undefined) return;
  addFigures({
    [`${part}: runs with a failure`]: Number(runs),
    [`${part}: of these reported`]: Number(reported),
    [`${part}: of these tolerated`]: Number(tolerated),
  });
}

function judge(part, program, args, unknown, env = {}) {
  for (const name of unknown) {
    console.log(
    `  not ok: src calls ${name}: test/failure has to say how it fails, or NEVER_FAIL why not`);
  }
  const child = spawnSync(program, args,
    { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS, ...env }, maxBuffer: 2 ** 28 });
  process.stdout.write(child.stdout + child.stderr);
  addSummary(part, child.stdout);
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(child.stdout) || [null, '0', '1'];
  return { passed: Number(passed), failed: Number(failed) + unknown.length };
}

async function testCore(compiler, names) {
  console.log(`\n${compiler} ${SANITIZE[0]}`);
  const { program, unknown } = await build(compiler);
  return judge('core and io', program, names, unknown);
}

async function testBridge(names) {
  console.log('\nNode, gcc -fsanitize=address');
  const folder = path.join(root, 'test/failure/addon');
  const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const env = { ...process.env, CC: 'gcc', CXX: 'g++' };
  await run(process.execPath, [gyp, 'configure', 'build', '--directory', folder],
    { cwd: root, env, maxBuffer: 2 ** 28 });
  const files = listSources('src/core/:.c,.S', 'src/io/:.c', 'src/node/:.c', 'src/addon:.c');
  const objects = files.map((file) => path.join(folder, 'build', file.replace(/\.[cS]$/, '.o')));
  const unknown = unknownCalls(objects, ['calls.h', 'node_calls.h']);
  const asan = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return judge('bridge', process.execPath, [path.join(root, 'test/failure/node.js'), ...names],
    unknown, { LD_PRELOAD: asan });
}

/** What include/fibril.h promises of calls that fail has come. */
function checkPromises(provoked) {
  const absent = missing(provoked).filter((pair) => isOfFailures(pair) && !UNREACHABLE.has(pair));
  for (const pair of absent) {
    console.log(`  not ok: include/fibril.h promises ${pair}, and no scenario brings it about`);
  }
  return { passed: 0, failed: absent.length };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { cc: { type: 'string', default: process.env.CC || 'cc' } },
  });
  const counts = { passed: 0, failed: 0 };
  const add = ({ passed, failed }) => {
    counts.passed += passed;
    counts.failed += failed;
  };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-failure-'));
  process.env.FIBRIL_PROVOKED = path.join(folder, 'provoked');
  for (const compiler of values.cc.split(',')) add(await testCore(compiler, positionals));
  add(await testBridge(positionals));
  if (positionals.length === 0) add(checkPromises(readProvoked(process.env.FIBRIL_PROVOKED)));
  fs.rmSync(folder, { recursive: true });
  addCounts(counts);
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.stderr || error.message);
  process.exitCode = 1;
});
