/* Faults that are no overflows go on to whoever handled them; the alternate stacks on which all
 * that happens. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "test.h"

#include "../../src/core/switch/overflow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A second copy of the handler, as another addon of the same process brings one along. It finds
 * whatever handler the test has set up before. */
#define fibril__overflow_attach second__overflow_attach
#define fibril__overflow_detach second__overflow_detach
#define fibril__overflow_publish second__overflow_publish
#define fibril__overflow_withdraw second__overflow_withdraw
#define fibril__overflow_die second__overflow_die
#include "../../src/core/switch/overflow.c"
#undef fibril__overflow_attach
#undef fibril__overflow_detach
#undef fibril__overflow_publish
#undef fibril__overflow_withdraw
#undef fibril__overflow_die

#define KIB 1024

/* Makes the compiler keep the bytes on the stack. */
static void keep(void *bytes) {
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

static fibril_value overflow_by_frame(void *arg) {
  char frame[100 * KIB];
  (void)arg;
  memset(frame, 1, sizeof frame);
  keep(frame);
  fibril_sleep(0);
  return fibril_undefined();
}

CRASH_TEST(overflow_is_reported_once_by_two_copies, "SIGSEGV",
           "^fibril: stack overflow in coroutine \"mine\"[^\\n]*\\n$") {
  fibril_spawn_options options = {sizeof options, "mine", 64 * KIB};
  second__overflow_attach();
  fibril_future *future = fibril_loop_spawn(loop, overflow_by_frame, NULL, &options);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(future);
}

static fibril_value write_to(void *arg) {
  **(volatile char **)arg = 1;
  return fibril_undefined();
}

static void fault_in_coroutine(fibril_loop *loop, char *address) {
  fibril_future_unref(fibril_loop_spawn(loop, write_to, &address, NULL));
}

static void set_handler(void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  sigaction(SIGSEGV, &action, NULL);
}

static bool blocked(int signal) {
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  return sigismember(&mask, signal) == 1;
}

CRASH_TEST(fault_without_a_handler, "SIGSEGV", "^$") {
  fault_in_coroutine(loop, (char *)16);
}

static void tell(int signal, siginfo_t *info, void *context) {
  (void)context;
  dprintf(STDERR_FILENO, "%d at %p, blocked %d %d %d\n", signal == SIGSEGV, info->si_addr,
          blocked(SIGSEGV), blocked(SIGUSR1), blocked(SIGUSR2));
  _exit(7);
}

CRASH_TEST(fault_goes_to_the_previous_handler, "7", "^1 at 0x10, blocked 1 1 0\\n$") {
  set_handler(tell, SA_SIGINFO);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

CRASH_TEST(fault_goes_to_the_previous_handler_with_its_flags, "7",
           "^1 at 0x10, blocked 0 1 0\\n$") {
  set_handler(tell, SA_SIGINFO | SA_NODEFER);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

static void tell_plain(int signal) {
  dprintf(STDERR_FILENO, "plain %d\n", signal == SIGSEGV);
  _exit(7);
}

CRASH_TEST(fault_goes_to_a_plain_handler, "7", "^plain 1\\n$") {
  signal(SIGSEGV, tell_plain);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

static char *closed_page;

/* As V8's handler for WebAssembly: mends what was wrong and lets the program go on. */
static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  errno = EIO;
  if (info->si_addr == closed_page) mprotect(closed_page, 1, PROT_READ | PROT_WRITE);
}

static fibril_value write_to_closed_page(void *arg) {
  errno = 0;
  *(volatile char *)closed_page = 1;
  *(int *)arg = errno;
  return fibril_undefined();
}

CRASH_TEST(fault_can_be_mended_by_the_previous_handler, "7",
           "^went on: 1, errno 0, blocked 0 0\\n$") {
  closed_page =
      mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  set_handler(mend, SA_SIGINFO);
  second__overflow_attach();
  int after = -1;
  fibril_future_unref(fibril_loop_spawn(loop, write_to_closed_page, &after, NULL));
  dprintf(STDERR_FILENO, "went on: %d, errno %d, blocked %d %d\n", *closed_page, after,
          blocked(SIGSEGV), blocked(SIGUSR2));
  _exit(7);
}

static void tell_once(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  dprintf(STDERR_FILENO, "once\n");
}

CRASH_TEST(fault_goes_once_to_a_handler_for_one_signal, "SIGSEGV", "^once\\n$") {
  set_handler(tell_once, SA_SIGINFO | (int)SA_RESETHAND);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

CRASH_TEST(fault_with_the_default_action, "SIGSEGV", "^$") {
  signal(SIGSEGV, SIG_DFL);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

CRASH_TEST(fault_cannot_be_ignored, "SIGSEGV", "^$") {
  signal(SIGSEGV, SIG_IGN);
  second__overflow_attach();
  fault_in_coroutine(loop, (char *)16);
}

CRASH_TEST(fault_that_was_sent_can_be_ignored, "7", "^goes on\\n$") {
  signal(SIGSEGV, SIG_IGN);
  second__overflow_attach();
  raise(SIGSEGV);
  dprintf(STDERR_FILENO, "goes on\n");
  _exit(7);
}

CRASH_TEST(fault_that_was_sent_ends_the_process, "SIGSEGV", "^$") {
  signal(SIGSEGV, SIG_DFL);
  second__overflow_attach();
  raise(SIGSEGV);
}

/* Nothing runs on these stacks: their guards are just pages that must not be touched. */
static fibril__stack *stacks_of_two(const char *name, int which) {
  static fibril__stacks stacks;
  fibril__stack *list[2];
  fibril__stacks_init(&stacks);
  list[0] = fibril__stack_get(&stacks, 0);
  list[1] = fibril__stack_get(&stacks, 0);
  list[which]->name = name;
  return list[which];
}

CRASH_TEST(fault_of_a_stray_pointer_is_no_overflow, "SIGSEGV", "^$") {
  setenv("FIBRIL_GUARD", "mprotect", 1);
  fibril__stack *stack = stacks_of_two("asleep", 1);
  stack->base[-1] = 1;
}

static fibril_value write_to_closed_part(void *arg) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *part = (char *)((uintptr_t)__builtin_frame_address(0) / page * page - 16 * page);
  (void)arg;
  mprotect(part, page, PROT_NONE);
  *(volatile char *)part = 1;
  return fibril_undefined();
}

CRASH_TEST(fault_in_the_stack_itself_is_no_overflow, "SIGSEGV", "^$") {
  fibril_spawn_options options = {sizeof options, NULL, 4096 * KIB};
  fibril_future_unref(fibril_loop_spawn(loop, write_to_closed_part, NULL, &options));
}

static fibril_value write_upwards(void *arg) {
  (void)arg;
  fibril_sleep(1);
  char here[16];
  volatile size_t too_many = 128 * KIB;
  memset(here, 1, too_many);
  keep(here);
  return fibril_undefined();
}

static fibril_value sleep_long(void *arg) {
  (void)arg;
  fibril_sleep(1e6);
  return fibril_undefined();
}

/* The stack above is asleep: it may be its own frame that was too large, so both are named. */
CRASH_TEST(
    fault_of_the_stack_below_says_what_it_may_be, "SIGSEGV",
    "^fibril: access below the stack of coroutine \"above\" \\(stack size 65536 bytes\\), by a "
    "frame larger than its stack or a stray write: [^\\n]*\\n$") {
  setenv("FIBRIL_GUARD", "mprotect", 1);
  fibril_spawn_options below = {sizeof below, "below", 64 * KIB};
  fibril_spawn_options above = {sizeof above, "above", 64 * KIB};
  fibril_future *writer = fibril_loop_spawn(loop, write_upwards, NULL, &below);
  fibril_future *sleeper = fibril_loop_spawn(loop, sleep_long, NULL, &above);
  while (!fibril_future_done(writer)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(writer);
  fibril_future_unref(sleeper);
}

/* ---- Alternate stacks
 * ---------------------------------------------------------------------------- */

static stack_t alternate(void) {
  stack_t stack;
  memset(&stack, 0, sizeof stack);
  sigaltstack(NULL, &stack);
  return stack;
}

static void attach_in_thread(void) {
  CHECK(alternate().ss_flags & SS_DISABLE);
  fibril__overflow_attach();
  void *first = alternate().ss_sp;
  CHECK(!(alternate().ss_flags & SS_DISABLE));
  fibril__overflow_attach();
  CHECK(alternate().ss_sp == first);
  fibril__overflow_detach();
  CHECK(alternate().ss_sp == first);
  fibril__overflow_detach();
  CHECK(alternate().ss_flags & SS_DISABLE);
  fibril__overflow_detach();
  fibril__overflow_attach();
  CHECK(!(alternate().ss_flags & SS_DISABLE));
  fibril__overflow_detach();
}

static char foreign_memory[64 * KIB];

static void attach_after_another(void) {
  stack_t foreign = {.ss_sp = foreign_memory, .ss_size = sizeof foreign_memory};
  CHECK_INT(sigaltstack(&foreign, NULL), 0);
  fibril__overflow_attach();
  CHECK(alternate().ss_sp == (void *)foreign_memory);
  fibril__overflow_detach();
  CHECK(alternate().ss_sp == (void *)foreign_memory);
}

static void attach_before_another(void) {
  stack_t ours, foreign = {.ss_sp = foreign_memory, .ss_size = sizeof foreign_memory};
  fibril__overflow_attach();
  CHECK_INT(sigaltstack(&foreign, &ours), 0);
  fibril__overflow_detach();
  CHECK(alternate().ss_sp == (void *)foreign_memory);
  /* Whoever came later may put the stack back that was there before. */
  CHECK_INT(sigaltstack(&ours, NULL), 0);
  memset(ours.ss_sp, 1, ours.ss_size);
}

/* Sanitizers give each thread an alternate stack of their own. */
static void without_alternate_stack(void *fn) {
  stack_t none = {.ss_flags = SS_DISABLE}, before;
  sigaltstack(&none, &before);
  (*(void (**)(void))fn)();
  sigaltstack(&before, NULL);
}

static void in_thread(void (*fn)(void)) {
  uv_thread_t thread;
  if (CHECK_INT(uv_thread_create(&thread, without_alternate_stack, &fn), 0))
    uv_thread_join(&thread);
}

TEST(overflow_alternate_stack_is_counted) {
  in_thread(attach_in_thread);
}

TEST(overflow_alternate_stack_of_another_stays) {
  in_thread(attach_after_another);
  in_thread(attach_before_another);
}

/* ---- The table of slabs ------------------------------------------------------------------------
 */

/* Slots of four lines: two for the guard, one for the stack, one for its descriptor. */
#define LINE FIBRIL__STACK_COLOUR_BYTES
#define SLOT (4 * LINE)

enum { SLABS = 200 };
static _Alignas(LINE) char slab_memory[SLABS * SLOT];

static fibril__slab *slab_at(char *memory, fibril__stack_pool *pool) {
  fibril__slab *slab = calloc(1, sizeof *slab + 1);
  if (slab == NULL) exit(1);
  slab->memory = memory;
  slab->slot = SLOT;
  slab->count = slab->guarded = 1;
  *(fibril__stack *)(void *)(memory + 3 * LINE) = (fibril__stack){
      .base = memory + 2 * LINE, .pool = pool, .slab = slab, .state = FIBRIL__STACK_TAKEN};
  return slab;
}

static bool finds(const char *address) {
  overflow found;
  find_overflow((uintptr_t)address, (uintptr_t)address, &found);
  return found.found;
}

TEST(overflow_table_grows_and_forgets) {
  enum { COUNT = SLABS };
  fibril__stack_pool pool = {.size = 2 * LINE};
  fibril__slab *slabs[COUNT];
  int wrong = 0;
  for (int i = 0; i < COUNT; i++) {
    slabs[i] = slab_at(slab_memory + SLOT * i, &pool);
    wrong += second__overflow_publish(slabs[i]) != 0;
  }
  for (int i = 0; i < COUNT; i++)
    wrong += !finds(slab_memory + SLOT * i) || !finds(slab_memory + SLOT * i + 2 * LINE - 1) ||
             finds(slab_memory + SLOT * i + 2 * LINE);
  for (int i = 0; i < COUNT; i += 2) {
    second__overflow_withdraw(slabs[i]);
    free(slabs[i]);
  }
  for (int i = 0; i < COUNT; i++) wrong += finds(slab_memory + SLOT * i) != i % 2;
  for (int i = 1; i < COUNT; i += 2) {
    second__overflow_withdraw(slabs[i]);
    free(slabs[i]);
  }
  CHECK_INT(wrong, 0);
  CHECK(!finds(slab_memory + SLOT));
}

static atomic_int withdrawn;

static void withdraw(void *slab) {
  second__overflow_withdraw(slab);
  atomic_store(&withdrawn, 1);
}

TEST(overflow_table_waits_for_its_readers) {
  fibril__stack_pool pool = {.size = 2 * LINE};
  fibril__slab *slab = slab_at(slab_memory, &pool);
  uv_thread_t thread;
  atomic_store(&withdrawn, 0);
  CHECK_INT(second__overflow_publish(slab), 0);
  atomic_fetch_add(&readers, 1);
  if (!CHECK_INT(uv_thread_create(&thread, withdraw, slab), 0)) return;
  while (finds(slab_memory)) sched_yield();
  for (int i = 0; i < 1000; i++) sched_yield();
  CHECK_INT(atomic_load(&withdrawn), 0);
  atomic_fetch_sub(&readers, 1);
  uv_thread_join(&thread);
  CHECK_INT(atomic_load(&withdrawn), 1);
  free(slab);
}
