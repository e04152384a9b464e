'use strict';

// Runs the bridge with calls that fail, as main.c runs the core. In a worker for each scenario: it
// runs once to count the calls, then once for each of them with that one failing. What was called
// has to fail with a clear error, or to succeed where the failure is tolerated; then the same must
// work, and when the worker has ended nothing may be left. Started by scripts/test-failure.js.

const path = require('path');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

const HANGS_AFTER_MS = 30000;

const binary = path.join(__dirname, 'addon/build/Release/failing.node');
const control = require(binary);

// What a failure does where nobody has to hear of it: as in main.c, and what the bridge does
// another way.
const TOLERATED = [
  /^madvise /, /^syscall in install_batch/, /^mmap in probe_install/, /^open in max_map_count/,
  /^mprotect /, /^sigaltstack /,
  /in use_alternate_stack/, /in slab_new/, /napi_call_function in fibril__env_call/,
    /mmap in map_slab/, /uv_fs_close in fibril_fs_close/, /uv_cancel in cancel/,
  /^malloc in add_runner,/, /^uv_queue_work in add_runner,/, // the runner there is does it all
  /^uv_random in choose_secret,/, // the time and an address are a secret, too
  /^fcntl in fibril__descriptor_block,/, // it stays as it is
  /^epoll_create1 in renew,/, // another time
  /^(napi_create_external_buffer|calloc in adopt,) /, // a copy
  /^calloc in memories_grow,/, // its places are fuller
  /^fcntl in keep_descriptor,/, // the way is walked from the root
  /^openat in scan_begin,/, // of a file its status is enough
  /^uv_fs_stat in run_stat,/, // a link that can't be followed is listed as a link
  /^realloc in take_data_read,/, // the buffer stays larger than needed
  /in (copy_keys|evaluate_maker|shapes_of),/, // objects of a shape are made property by property
  /^malloc in settle_batches,/, // the batch outside goes on with them
  /in error_message,/, // in C the error has no message, in JavaScript it does
  /in (native|list)_waiting,/, // a line less in a warning
  /^napi_check_object_type_tag /, // another object is refused either way
  /^napi_remove_wrap /, // the object is collected, with the rest of its failed constructor
  /^napi_open_callback_scope /, // the promise jobs run when JavaScript is entered next
];

// What no scenario can reach everywhere, said aloud.
const OUT_OF_REACH = [
  [/^malloc in open_from_root,/, 'needs more directories that wait than descriptors are kept for'],
  [/^malloc in fibril__instance_wrap,/, 'needs a collection at a moment that nobody can choose'],
  [/^malloc in fibril__buffer_part,/, 'is called when the environment ends'],
  [/^napi_throw in string_to_js,/, 'needs a gigabyte for each call that fails'],
];

// What stays for as long as the process, or is Node's to give back.
const PERMANENT = [/in fibril__overflow_publish/];

function clear(error) {
  return error instanceof Error && error.message.length > 0;
}

async function attempt(scenario, nth) {
  let outcome;
  let timer;
  const hangs = new Promise((resolve) => {
    timer = setTimeout(resolve, HANGS_AFTER_MS, { hangs: true });
  });
  const ready = scenario.prepare();
  control.start(nth, nth + (scenario.also ?? 0));
  try {
    outcome = await Promise.race([(async () => ({ value: await scenario.run(ready) }))(), hangs]);
  } catch (error) {
    outcome = { error };
  }
  clearTimeout(timer);
  const calls = control.stop();
  return { ...outcome, calls, failed: control.failed() };
}

function judge(scenario, outcome, nth) {
  if (outcome.hangs) return 'it hangs';
  if (outcome.error !== undefined) {
    if (nth === 0) return `without a failure: ${outcome.error?.stack}`;
    return clear(outcome.error) ? '' : `no clear error: ${outcome.error}`;
  }
  if ('error' in outcome) return 'it failed with undefined';
  const shown = JSON.stringify(outcome.value);
  if (shown !== scenario.expected) return `it gave ${shown}, not ${scenario.expected}`;
  const tolerated = (site) => TOLERATED.some((pattern) => pattern.test(site));
  return outcome.failed.every(tolerated) ? '' : 'nobody heard of it';
}

async function runScenario(scenario) {
  const problems = [];
  const failed = new Set();
  let runs = 0;
  let reported = 0;
  const clean = await attempt(scenario, 0);
  if (judge(scenario, clean, 0)) {
    return { problems: [judge(scenario, clean, 0)], failed: [], runs, reported };
  }
  for (let nth = 1; ; nth++) {
    parentPort.postMessage({ nth });
    const outcome = await attempt(scenario, nth);
    if (outcome.failed.length === 0) break;
    runs++;
    if (outcome.error !== undefined) reported++;
    for (const site of outcome.failed) failed.add(site);
    const problem = judge(scenario, outcome, nth);
    if (problem) problems.push(`call ${nth} (${outcome.failed}): ${problem}`);
    const again = judge(scenario, await attempt(scenario, 0), 0);
    if (again) problems.push(`after call ${nth} (${outcome.failed}): ${again}`);
    if (outcome.hangs) break;
  }
  return { problems, failed: [...failed], runs, reported };
}

if (!isMainThread) {
  // What only the main thread does, too: nothing here is given to other threads.
  Object.defineProperty(require('worker_threads'), 'isMainThread', { value: true });
  const uncaught = [];
  process.on('uncaughtException', (error) => uncaught.push(error));
  process.on('unhandledRejection', (error) => uncaught.push(error));
  const scenario = require('./node_scenarios.js')(control)[workerData];
  runScenario(scenario).then((result) => {
    for (const error of uncaught) result.problems.push(`uncaught: ${error?.stack}`);
    parentPort.postMessage(result);
  });
  return;
}

function inWorker(index) {
  return new Promise((resolve) => {
    let result = { problems: ['it crashes'], failed: [], runs: 0, reported: 0 };
    let nth = 0;
    const worker = new Worker(__filename, { workerData: index });
    worker.on('message', (message) => {
      if (message.nth) nth = message.nth;
      else result = message;
    });
    worker.on('error', (error) => result.problems.push(`call ${nth}: ${error.stack}`));
    worker.on('exit', () => resolve(result));
  });
}

function checkCoverage(failed) {
  const sites = control.sites().filter((site) => /src\/(node|addon)\//.test(site));
  const missing = sites.filter((site) => !failed.has(site));
  const reason = (site) => OUT_OF_REACH.find(([pattern]) => pattern.test(site))?.[1];
  for (const site of missing) {
    console.log(reason(site)
      ? `  skipped ${site}: ${reason(site)}` : `  not ok: never failed: ${site}`);
  }
  console.log(`  ${sites.length -
    missing.length} of ${sites.length} calls in src/node and src/addon failed`);
  return missing.every(reason);
}

async function main(names) {
  const scenarios = require('./node_scenarios.js')(control);
  const failed = new Set();
  let good = 0;
  let bad = 0;
  let runs = 0;
  let reported = 0;
  for (const [index, { name }] of scenarios.entries()) {
    if (names.length > 0 && !names.includes(name)) continue;
    const result = await inWorker(index);
    const left = control.blocks()
      .filter((site) => !PERMANENT.some((pattern) => pattern.test(site)));
    const problems = [...result.problems, ...left.map((site) => `left allocated: ${site}`)];
    for (const site of result.failed) failed.add(site);
    runs += result.runs;
    reported += result.reported;
    if (problems.length === 0) good++;
    else bad++;
    console.log(problems.length === 0
      ? `  ok ${name}: ${result.runs} calls` : `  not ok ${name}\n    ${problems.join('\n    ')}`);
  }
  if (names.length === 0) {
    if (checkCoverage(failed)) good++;
    else bad++;
  }
  console.log(`${runs} runs with failures: ${reported} reported, ${runs - reported} tolerated`);
  console.log(`${good} passed, ${bad} failed`);
  process.exitCode = bad > 0 ? 1 : 0;
}

main(process.argv.slice(2));
