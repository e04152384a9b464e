'use strict';

// What the C tests need under a sanitizer or valgrind: flags, environment, and the tests that make
// no sense there, each with the reason.

const VALGRIND = ['valgrind', '--quiet', '--error-exitcode=99', '--leak-check=full',
  '--errors-for-leak-kinds=definite,indirect'];

const SLOW_IN_VALGRIND = 'valgrind looks through all stacks at each switch';
const FAULT_IN_VALGRIND = 'valgrind reports the fault that it is about';
const DESCRIPTORS_IN_VALGRIND = 'valgrind has descriptors of its own at the limit';
const SKIP_IN_VALGRIND = {
  fault_can_be_mended_by_the_previous_handler: FAULT_IN_VALGRIND,
  fault_goes_once_to_a_handler_for_one_signal: FAULT_IN_VALGRIND,
  fault_goes_to_a_plain_handler: FAULT_IN_VALGRIND,
  fault_goes_to_the_previous_handler: FAULT_IN_VALGRIND,
  fault_goes_to_the_previous_handler_with_its_flags: FAULT_IN_VALGRIND,
  fault_of_the_stack_below_says_what_it_may_be: FAULT_IN_VALGRIND,
  stream_without_a_descriptor: DESCRIPTORS_IN_VALGRIND,
  listener_waits_out_a_shortage_of_descriptors: DESCRIPTORS_IN_VALGRIND,
  listener_that_waits_out_a_shortage_is_cancelled_and_closed: DESCRIPTORS_IN_VALGRIND,
  a_connection_without_a_number_of_its_own_is_kept: DESCRIPTORS_IN_VALGRIND,
  guard_budget_is_used_up: 'valgrind keeps fewer mappings than the system',
  lengths_beyond_the_systems_limit_give_short_counts: 'valgrind looks at the whole buffer of a read or write, which is not there',
  process_is_refused_by_the_system: 'valgrind starts programs itself, and finds out too late that it can\'t',
  process_is_refused_by_the_system_by_libuv: 'valgrind starts programs itself, and finds out too late that it can\'t',
  overflow_is_reported_once_by_two_copies: FAULT_IN_VALGRIND,
  overflow_with_mprotect: FAULT_IN_VALGRIND,
  sleep_of_very_many_coroutines_ends_in_order_of_their_deadlines: SLOW_IN_VALGRIND,
  stack_hundred_thousand: SLOW_IN_VALGRIND,
};

const SANITIZERS = {
  address: {
    flags: ['-fsanitize=address', '-fno-omit-frame-pointer'],
    // The alternate signal stack and SIGSEGV are what tests are about. Locals used after their
    // function returned are found as well.
    env: { ASAN_OPTIONS: 'use_sigaltstack=0:handle_segv=0:detect_stack_use_after_return=1:allocator_may_return_null=1' },
    skip: {
      fault_of_the_stack_below_says_what_it_may_be: 'ASan reports the write past the array before it reaches the guard',
      overflow_with_canary: 'frames between red zones are wider than the canary',
      stack_guard_on_locked_memory: 'ASan locks no memory',
      lengths_beyond_the_systems_limit_give_short_counts: 'ASan looks at the whole buffer of a read or write, which is not there',
    },
  },
  undefined: { flags: ['-fsanitize=undefined'], env: { UBSAN_OPTIONS: 'print_stacktrace=1' },
    skip: {} },
  thread: {
    flags: ['-fsanitize=thread'],
    // The tests' SIGSEGV handlers print with stdio.
    env: { TSAN_OPTIONS: 'halt_on_error=1:handle_segv=0:report_signal_unsafe=0:allocator_may_return_null=1' },
    skip: {
      lengths_beyond_the_systems_limit_give_short_counts: 'TSan goes through the whole buffer, gigabytes of it',
      stack_hundred_thousand: 'TSan has memory and mappings of its own for each stack',
      stack_guard_on_locked_memory: 'TSan locks no memory',
    },
  },
  // The compiler has no macro for this one.
  leak: { flags: ['-fsanitize=leak', '-DFIBRIL_LSAN'], env: { LSAN_OPTIONS: 'handle_segv=0' },
    skip: {} },
};

/** What --sanitize, --valgrind and --switch of `values` come to. */
function chooseTools(values) {
  const names = values.sanitize ? values.sanitize.split(',') : [];
  const unknown = names.find((name) => !(name in SANITIZERS));
  if (unknown) throw new Error(`--sanitize: ${Object.keys(SANITIZERS).join(', ')}, not ${unknown}`);
  if (values.switch && values.switch !== 'portable') {
    throw new Error(`--switch: portable, not ${values.switch}`);
  }
  const chosen = names.map((name) => SANITIZERS[name]);
  const tools = {
    names: [...names],
    flags: names.length > 0 ? ['-fno-sanitize-recover=all'] : [],
    env: Object.assign({}, ...chosen.map(({ env }) => env)),
    runner: [],
    skip: new Map(chosen.flatMap(({ skip }) => Object.entries(skip))),
  };
  for (const { flags } of chosen) tools.flags.push(...flags);
  if (values.valgrind) {
    tools.names.push('valgrind');
    // Valgrind 3.19 ends with an error where it meets DWARF 5, as clang 14 writes it.
    tools.flags.push('-gdwarf-4', '-DFIBRIL_VALGRIND');
    tools.runner = VALGRIND;
    for (const [name, reason] of Object.entries(SKIP_IN_VALGRIND)) tools.skip.set(name, reason);
  }
  if (values.switch) {
    tools.names.push(values.switch);
    tools.flags.push('-DFIBRIL_SWITCH_PORTABLE');
  }
  return tools;
}

module.exports = { chooseTools };
