'use strict';

// Which tests belong to which file, for `npm run quick`: rows of a folder, names of files in it,
// and tests. A name has no extension, or all of it (index.d.ts); '*' is whatever is below the
// folder and in no row above: files that are new. The first row that has the file counts, beside
// the tests that have its name (src/io/fs.c: test/c/io_fs_test.c; lib/tornado/locks.js:
// test/locks.test.js).

const escaped = (text) => text.replaceAll('.', '\\.');

function row(folder, names, tests) {
  const list = names.split(' ');
  const isRest = names === '*';
  const before = folder === '' ? '' : `${escaped(folder)}/`;
  const patternOf = (name) => new RegExp(`^${before}${escaped(name)}(\\.\\w+)*$`);
  const patterns = isRest ? [new RegExp(`^${before}`)] : list.map(patternOf);
  return { folder, names: list, patterns, isRest, tests: tests.split(' ') };
}

const rowsOf = (list) => list.map((fields) => row(...fields));

// C: files of test/c, without .c.
const C_TESTS = rowsOf([
  ['src/core/switch/arch', 'aarch64 x86_64_sysv switch result',
    'core_coroutine_test core_generator_test backtrace_test stack_test'],
  ['src/core/switch', 'exceptions here', 'core_coroutine_test core_generator_test'],
  ['src/core/switch', 'guard stack', 'stack_test overflow_test fault_test'],
  ['src/core/switch', 'overflow process', 'overflow_test fault_test'],
  ['src/core/switch', 'settings', 'core_inspect_test core_trace_test overflow_test stack_test'],
  ['src/core/switch', 'macros sanitize',
    'core_coroutine_test core_generator_test stack_test sanitize_test'],
  ['src/core/switch', '*', 'core_coroutine_test stack_test overflow_test fault_test'],

  ['src/core/value', 'array box buffer error hash map object value',
    'core_value_test core_ownership_test owners_test'],
  ['src/core/value', 'list', 'core_value_test core_sync_test core_waits_test core_loop_test'],
  ['src/core/value', '*', 'core_value_test core_ownership_test'],

  ['src/core/scheduler', 'deadline', 'core_scope_test core_waits_test core_timers_test'],
  ['src/core/scheduler', 'scope', 'core_waits_test core_close_test'],
  ['src/core/scheduler', 'deadlock crowd', 'core_close_test core_inspect_test core_group_test'],
  ['src/core/scheduler', 'local', 'core_coroutine_test core_ownership_test misuse_test'],
  ['src/core/scheduler', 'ready activate', 'core_loop_test core_timers_test core_coroutine_test'],
  ['src/core/scheduler', 'timeouts timers', 'core_timers_test core_loop_test'],
  ['src/core/scheduler', 'wait',
    'core_waits_test core_scope_test core_close_test core_inspect_test core_races_test'],
  ['src/core/scheduler', 'call coroutine run scheduler watched',
    'core_coroutine_test core_generator_test core_waits_test core_scope_test core_trace_test'],
  ['src/core/scheduler', '*',
    'core_coroutine_test core_waits_test core_scope_test core_timers_test'],

  ['src/core/future', 'channel line sync', 'core_sync_test core_races_test core_waits_test'],
  ['src/core/future', 'await clients future spawn',
    'core_future_test core_coroutine_test core_generator_test core_inspect_test promises_test'],
  ['src/core/future', 'drive generator',
    'core_generator_test core_waits_test core_close_test core_inspect_test'],
  ['src/core/future', 'failures', 'core_future_test core_inspect_test'],
  ['src/core/future', 'group', 'core_waits_test core_close_test'],
  ['src/core/future', '*', 'core_future_test core_generator_test core_group_test core_sync_test'],

  ['src/core/loop', 'callbacks handlers turn run_loop',
    'core_loop_test core_timers_test core_close_test'],
  ['src/core/loop', 'descriptors',
    'core_loop_test io_test io_poll_test io_poll_ends_test promises_test'],
  ['src/core/loop', 'data last', 'core_data_test core_close_test'],
  ['src/core/loop', 'host loop', 'core_close_test core_loop_test core_timers_test'],
  ['src/core/loop', 'inspect leaks', 'core_inspect_test'],
  ['src/core/loop', 'post', 'core_loop_test core_races_test core_close_test io_test'],
  ['src/core/loop', '*', 'core_loop_test core_close_test'],
  ['src/core', '*', 'core_coroutine_test core_loop_test core_waits_test core_close_test'],

  ['src/io/net', 'address idna', 'io_net_address_test io_net_dns_test'],
  ['src/io/net', 'query resolve', 'io_net_dns_test'],
  ['src/io/net', 'udp_options', 'io_net_udp_test'],
  ['src/io/net', 'socket', 'io_net_udp_test io_net_connect_test io_net_listener_test'],
  ['src/io', 'pool', 'io_test io_work_test io_fs_test io_net_dns_test'],
  ['src/io', 'poll', 'io_test io_poll_test io_poll_ends_test'],
  ['src/io', 'handle', 'io_poll_ends_test io_signal_test io_net_stream_test'],
  ['src/io', 'request', 'io_test io_work_test'],
  ['src/io', 'work', 'io_test'],
  ['src/io/net', 'buffer', 'io_net_reader_test io_net_writer_test'],
  ['src/io/net', 'memory', 'io_net_memory_test io_net_wrap_test'],
  ['src/io/net', 'stream', 'io_net_stream_test io_net_wrap_test'],
  ['src/io/net', 'local uv_stream', 'io_net_stream_test io_net_listener_test'],
  ['src/io/net', 'serve', 'io_net_listener_test'],
  ['src/io/net', '*', 'io_net_stream_test io_net_listener_test'],
  ['src/io/process', 'libuv orphan posix process program run wait', 'io_process_test'],
  ['src/io', '*', 'io_test io_fs_test io_work_test io_request_test'],
  ['include', '*', 'misuse_test pitfalls_test core_waits_test io_fs_test'],

  ['test/c', 'every_wait', 'core_waits_test core_close_test'],
  ['test/c', 'owners', 'owners_test'],
  ['test/c', 'poll_scene', 'io_poll_test io_poll_ends_test'],
  ['test/c', 'pairs', 'io_net_memory_test io_net_copy_test io_net_reader_test'],
  ['test/c', 'harness main test', 'harness_test'],
]);

// C that JavaScript's tests look at, and JavaScript: files of test, without .test.js.
const MOCHA_TESTS = rowsOf([
  ['include', '*', 'docs package/header'],
  ['src/core/switch', 'exceptions', 'cxx'],
  ['src/addon', 'sleep', 'co-run inspect fairness'],
  ['src/addon', 'du inode_set scan', 'fs'],
  ['src/addon', 'addon blocking export files metadata module', 'fs fs-node'],
  ['src/addon', '*', 'fs fs-node'],

  ['src/node', 'module', 'bridge.calls copies ends environments teardown'],
  ['src/node', 'runtime.h', 'bridge.calls bridge.order surroundings'],
  ['src/node/signatures', 'declared known scan signature type',
    'signatures bridge.arguments names'],
  ['src/node/env', 'env', 'teardown ends contexts'],
  ['src/node/env', 'gate', 'environments'],
  ['src/node/env', 'shared', 'bridge.calls bridge.order bridge.errors bridge.signal signatures'],
  ['src/node/values', 'from_js to_js values', 'bridge.values objects owners'],
  ['src/node/values', 'adopt bytes memory', 'bytes bridge.values'],
  ['src/node/values', 'references', 'references bridge.values bridge.errors callbacks'],
  ['src/node/values', 'keys', 'references'],
  ['src/node/values', 'instances', 'instances classes'],
  ['src/node/values', 'shapes', 'objects bridge.values'],
  ['src/node/exports', 'export', 'bridge.calls bridge.arguments signatures classes'],
  ['src/node/exports', 'names', 'names synchronous'],
  ['src/node/arguments', 'later', 'bytes'],
  ['src/node/arguments', 'arguments decode error read', 'bridge.arguments signatures instances'],
  ['src/node/arguments', 'containers', 'containers bridge.arguments'],
  ['src/node/calls', 'callbacks', 'waits'],
  ['src/node/calls', 'from_js', 'bridge.calls bridge.order bridge.errors bridge.signal bridge.future'],
  ['src/node/calls', 'to_js', 'bridge.calls callbacks waits contexts references'],
  ['src/node/calls', 'references', 'references'],
  ['src/node/iterators', 'export iterator request', 'iterators waits'],
  ['src/node/classes', 'begin class declare', 'classes instances'],
  ['src/node/tornado', 'ioloop', 'phases periodic'],
  ['src/node/tornado', 'runner', 'co-modes co-order co-futures gen'],
  ['src/node/runtime', '10-state', 'surroundings bridge.calls bridge.order contexts'],
  ['src/node/runtime', '15-shapes', 'collections'],
  ['src/node/runtime', '18-copies', 'copies inspect'],
  ['src/node/runtime', '20-errors', 'bridge.errors bridge.arguments'],
  ['src/node/runtime', '25-objects', 'objects bridge.values'],
  ['src/node/runtime', '28-batch', 'bridge.order bridge.errors bridge.future'],
  ['src/node/runtime', '30-future', 'future bridge.future co-futures gen'],
  ['src/node/runtime', '42-signals', 'bridge.signal waits'],
  ['src/node/runtime', '44-outcomes', 'bridge.order bridge.signal bridge.future bridge.errors'],
  ['src/node/runtime', '46-functions', 'bridge.calls callbacks contexts references'],
  ['src/node/runtime', '48-exports', 'bridge.calls bridge.arguments classes names'],
  ['src/node/runtime', '49-futures', 'bridge.future future'],
  ['src/node/runtime', '50-iterators', 'iterators'],
  ['src/node/runtime', '55-classes', 'classes instances'],
  ['src/node/runtime', '60-inspect', 'inspect ends'],
  ['src/node/runtime', '90-api', 'bridge.future inspect ioloop gen co-modes'],
  ['src/node', '*', 'bridge.calls bridge.values bridge.order'],

  ['lib', 'index.d.ts types.d.ts', 'package/types'],
  ['lib', 'index.mjs', 'runtimes package/types'],
  ['lib', 'arguments', 'fs fs-node co-run locks queues gen gen-waits ioloop periodic'],
  ['lib', 'bundled', 'package/bundlers'],
  ['lib', 'errors', 'co-faults fs gen gen-waits locks queues'],
  ['lib', 'features index', 'runtimes co gen fs'],
  ['lib', 'kinds', 'co co-values co-thunks gen'],
  ['lib', 'primordials', 'surroundings intrusions co-memory'],
  ['lib', 'shapes', 'collections co-memory'],
  ['lib/bundle', 'outside rollup webpack', 'package/bundlers'],
  ['lib/bundle', '*', 'package/bundlers'],
  ['lib/native', 'index.d.ts', 'package/types'],
  ['lib/native', 'absent addon binding platform', 'runtimes surroundings copies'],
  ['lib/native', 'fs', 'fs-node'],
  ['lib/native', 'bytes', 'bytes'],
  ['lib/native', 'index', 'fs runtimes bridge.future'],
  ['lib/native', '*', 'fs bridge.calls runtimes'],
  ['lib/co', 'index.d.ts', 'package/types'],
  ['lib/co', 'call', 'co-thunks co-values intrusions'],
  ['lib/co', 'control run', 'co-run co-context intrusions'],
  ['lib/co', 'conversion converters', 'co-run co-values gen-waits'],
  ['lib/co', 'futures', 'co-futures co-values'],
  ['lib/co', 'group members walk way', 'co-members co-values co-faults collections'],
  ['lib/co', 'index', 'co co-run co-values'],
  ['lib/co', 'inspect', 'co-run'],
  ['lib/co', 'marks modes', 'co co-faults co-modes gen'],
  ['lib/co', 'promises', 'co co-order intrusions surroundings'],
  ['lib/co', 'runner step', 'co co-faults co-memory co-modes co-order co-values gen'],
  ['lib/co', 'traces', 'co-traces'],
  ['lib/co', 'waits', 'co co-futures co-order co-values intrusions'],
  ['lib/co', '*', 'co co-run co-order co-modes'],
  ['lib/tornado', 'index.d.ts', 'package/types'],
  ['lib/tornado', 'coroutine futures multi', 'gen gen-waits gen-order locks'],
  ['lib/tornado', 'gen', 'gen-waits gen-order'],
  ['lib/tornado', 'index', 'gen ioloop locks periodic queues'],
  ['lib/tornado', 'ioloop loop', 'ioloop phases periodic gen-order'],
  ['lib/tornado', 'items', 'queues'],
  ['lib/tornado', 'waiters', 'locks queues'],
  ['lib/tornado', 'wait-iterator', 'gen-waits'],
  ['lib/tornado', '*', 'gen gen-waits'],
  ['lib', '*', 'co gen intrusions'],

  ['test/addon', 'c_tests', 'c'],
  ['test/addon', 'foreign parser', 'package/dts'],
  ['test/addon', 'declares', 'names'],
  ['test/addon', 'natives', 'bridge.calls bridge.values'],
  ['test/addon', 'overflows', 'guards'],
  ['test/addon', 'pressure', 'soak'],
  ['test/addon', 'throws', 'cxx'],
  ['test/c', 'every_wait', 'waits'],
  ['test/c', 'owners', 'owners'],
  ['test/package/types', '*', 'package/types'],
  ['test/package/gdb', '*', 'package/debugger'],
  ['gdb', '*', 'package/debugger'],
  ['', 'README', 'docs'],
  ['docs', '*', 'docs'],
  ['examples', 'main', 'examples'],
  ['examples/js', '*', 'examples'],
  ['examples/c', '*', 'examples'],
  ['bin', 'dts signatures', 'package/dts'],
  ['bin', '*', 'package/new'],
  ['templates', '*', 'package/new'],
  ['scripts', 'quick choose-tests test-table', 'package/quick'],
]);

/** The tests of the first row that has the file, and whether a row names it. */
function lookUp(table, file) {
  const found = table.find(({ patterns }) => patterns.some((pattern) => pattern.test(file)));
  return { tests: found?.tests ?? [], isNamed: found !== undefined && !found.isRest };
}

module.exports = { C_TESTS, MOCHA_TESTS, lookUp };
