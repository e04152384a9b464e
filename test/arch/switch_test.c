/* The context switch alone: src/core/switch/arch and nothing else of fibril. Built and run by
 * scripts/test-arch.js for each compiler, level, form of the switch and machine. Prints a line for
 * each test; the exit code is the number of those that failed. */
#include "../../src/core/switch/arch/switch.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#endif

#define STACK_SIZE ((size_t)256 * 1024)

typedef struct {
  uint64_t low, high;
} words;

words fibril__switch_result(fibril__context *from, fibril__context *to);
int fibril__switch_status(fibril__context *from, fibril__context *to);

typedef struct coroutine {
  fibril__context context;
  _Alignas(8) char other_fields[FIBRIL__SWITCH_RESULT - sizeof(fibril__context)];
  words result;
  void (*fn)(struct coroutine *self);
  fibril__context *back;
  bool ended;
  int number;
  uint64_t sum;
  char *stack;
} coroutine;

static const char *test_name;
static int failures, failed_tests;

static void check(bool holds, const char *format, ...) {
  if (holds) return;
  va_list args;
  va_start(args, format);
  printf("  ");
  vprintf(format, args);
  printf("\n");
  va_end(args);
  failures++;
}

/* ---- What fibril's coroutines are, in small ---- */

void fibril__coroutine_main(fibril__context *context) {
  coroutine *self = (coroutine *)((char *)context - offsetof(coroutine, context));
  self->fn(self);
  self->ended = true;
  fibril__jump(&self->context, self->back);
}

static void start(coroutine *self, void (*fn)(coroutine *self)) {
  memset(self, 0, sizeof *self);
  self->stack = malloc(STACK_SIZE);
  if (self->stack == NULL) abort();
  memset(self->stack, 0xa5, STACK_SIZE);
  /* Above the top is what no unwinder must take for a return address. */
  uintptr_t top = ((uintptr_t)self->stack + STACK_SIZE - 64) & ~(uintptr_t)15;
  self->fn = fn;
  self->context = (fibril__context){(void *)top, (void *)1, (void *)fibril__entry};
}

static void resume(coroutine *self) {
  fibril__context here;
  self->back = &here;
  fibril__switch(&here, &self->context);
}

static void yield(coroutine *self) {
  fibril__switch(&self->context, self->back);
}

static void finish(coroutine *self) {
  check(self->ended, "the coroutine has not ended");
  free(self->stack);
}

/* ---- Locals, and many at once ---- */

#define ROUNDS 1000
#define MANY 50

/* More values than there are registers of either kind, all alive at the switch. */
static uint64_t keep_busy(coroutine *self, void (*leave)(coroutine *), uint64_t seed) {
  uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13,
           g = seed * 17;
  uint64_t h = seed * 19, i = seed * 23, j = seed * 29, k = seed * 31, l = seed * 37, m = seed * 41;
  double p = (double)seed, q = p * 2, r = p * 3, s = p * 4, t = p * 5, u = p * 6, v = p * 7,
         w = p * 8, x = p * 9;
  uint64_t array[64];
  for (unsigned n = 0; n < 64; n++) array[n] = seed + n;
  for (unsigned n = 0; n < ROUNDS; n++) {
    leave(self);
    a += b, b ^= c, c += d, d ^= e, e += f, f ^= g, g += h, h ^= i, i += j, j ^= k, k += l, l ^= m,
        m += a;
    p = q + 1, q = r + 1, r = s + 1, s = t + 1, t = u + 1, u = v + 1, v = w + 1, w = x + 1,
    x = p / 2;
    array[n % 64] ^= a + (uint64_t)p;
  }
  uint64_t sum = a + b + c + d + e + f + g + h + i + j + k + l + m +
                 (uint64_t)(p + q + r + s + t + u + v + w + x);
  for (unsigned n = 0; n < 64; n++) sum = sum * 31 + array[n];
  return sum;
}

static void leave_nothing(coroutine *self) {
  (void)self;
}

static void busy(coroutine *self) {
  self->sum = keep_busy(self, yield, (uint64_t)self->number + 2);
}

static void test_locals_survive(void) {
  coroutine one;
  start(&one, busy);
  resume(&one);
  uint64_t sum = keep_busy(&one, resume, 1);
  check(sum == keep_busy(NULL, leave_nothing, 1), "the resumer's locals have changed");
  check(one.sum == keep_busy(NULL, leave_nothing, 2), "the coroutine's locals have changed");
  finish(&one);
}

static void test_many_take_turns(void) {
  static coroutine many[MANY];
  for (int i = 0; i < MANY; i++) {
    start(&many[i], busy);
    many[i].number = i;
  }
  for (int round = 0; round <= ROUNDS; round++)
    for (int i = 0; i < MANY; i++) resume(&many[(i * 7 + round) % MANY]);
  for (int i = 0; i < MANY; i++) {
    check(many[i].sum == keep_busy(NULL, leave_nothing, (uint64_t)i + 2),
          "locals of coroutine %d have changed", i);
    finish(&many[i]);
  }
}

/* ---- Registers ---- */

/* Fills every register that a call preserves from `pattern`, the frame pointer too, calls fn(arg),
 * and stores what they hold then in `after`. */
void around_call(void (*fn)(coroutine *arg), coroutine *arg, const uint64_t *pattern,
                 uint64_t *after);

#if defined(__x86_64__)
#define REGISTERS 6
static const char *const register_names[REGISTERS] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
__asm__(".text\n"
        ".globl around_call\n"
        ".type around_call, @function\n"
        "around_call:\n"
        "  pushq %rbx\n"
        "  pushq %rbp\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  pushq %rcx\n"
        "  movq %rdi, %rax\n"
        "  movq %rsi, %rdi\n"
        "  movq 0(%rdx), %rbx\n"
        "  movq 8(%rdx), %rbp\n"
        "  movq 16(%rdx), %r12\n"
        "  movq 24(%rdx), %r13\n"
        "  movq 32(%rdx), %r14\n"
        "  movq 40(%rdx), %r15\n"
        "  call *%rax\n"
        "  popq %rcx\n"
        "  movq %rbx, 0(%rcx)\n"
        "  movq %rbp, 8(%rcx)\n"
        "  movq %r12, 16(%rcx)\n"
        "  movq %r13, 24(%rcx)\n"
        "  movq %r14, 32(%rcx)\n"
        "  movq %r15, 40(%rcx)\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbp\n"
        "  popq %rbx\n"
        "  ret\n"
        ".size around_call, . - around_call\n");
#elif defined(__aarch64__)
#define REGISTERS 19
static const char *const register_names[REGISTERS] = {
    "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
    "x29", "d8",  "d9",  "d10", "d11", "d12", "d13", "d14", "d15"};
__asm__(".text\n"
        ".globl around_call\n"
        ".type around_call, %function\n"
        "around_call:\n"
        "  hint 34\n"
        "  sub sp, sp, #176\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  str x3, [sp, #160]\n"
        "  mov x9, x0\n"
        "  mov x0, x1\n"
        "  ldp x19, x20, [x2, #0]\n"
        "  ldp x21, x22, [x2, #16]\n"
        "  ldp x23, x24, [x2, #32]\n"
        "  ldp x25, x26, [x2, #48]\n"
        "  ldp x27, x28, [x2, #64]\n"
        "  ldp x29, x10, [x2, #80]\n"
        "  fmov d8, x10\n"
        "  ldp d9, d10, [x2, #96]\n"
        "  ldp d11, d12, [x2, #112]\n"
        "  ldp d13, d14, [x2, #128]\n"
        "  ldr d15, [x2, #144]\n"
        "  blr x9\n"
        "  ldr x3, [sp, #160]\n"
        "  stp x19, x20, [x3, #0]\n"
        "  stp x21, x22, [x3, #16]\n"
        "  stp x23, x24, [x3, #32]\n"
        "  stp x25, x26, [x3, #48]\n"
        "  stp x27, x28, [x3, #64]\n"
        "  str x29, [x3, #80]\n"
        "  str d8, [x3, #88]\n"
        "  stp d9, d10, [x3, #96]\n"
        "  stp d11, d12, [x3, #112]\n"
        "  stp d13, d14, [x3, #128]\n"
        "  str d15, [x3, #144]\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #176\n"
        "  ret\n"
        ".size around_call, . - around_call\n");
#endif

/* Switches with a pattern of its own in the registers, which must be there when control is back. */
static void switch_with_registers(coroutine *self, void (*fn)(coroutine *), uint64_t seed,
                                  const char *side) {
  uint64_t pattern[REGISTERS], after[REGISTERS] = {0};
  for (unsigned i = 0; i < REGISTERS; i++) pattern[i] = seed * 0x9e3779b97f4a7c15 + i;
  around_call(fn, self, pattern, after);
  for (unsigned i = 0; i < REGISTERS; i++)
    check(after[i] == pattern[i], "%s: %s is %#llx instead of %#llx", side, register_names[i],
          (unsigned long long)after[i], (unsigned long long)pattern[i]);
}

static void with_registers(coroutine *self) {
  for (unsigned i = 0; i < 3; i++) switch_with_registers(self, yield, i + 100, "coroutine");
}

static void test_registers_survive(void) {
  coroutine one;
  start(&one, with_registers);
  for (unsigned i = 0; i < 4; i++) switch_with_registers(&one, resume, i + 1, "resumer");
  finish(&one);
}

/* ---- Results ---- */

/* Both sides are coroutines here, or at least as large: the result of a switch is in who gets it.
 */
static coroutine *resumer;

static void ask(coroutine *self) {
  resumer->result = (words){0, 0};
  self->back = &resumer->context;
  self->result = (words){self->sum + 1, self->sum + 2};
  int status = fibril__switch_status(&resumer->context, &self->context);
  check(status == (int)self->sum, "the status is %d instead of %d", status, (int)self->sum);
}

static void answer(coroutine *self) {
  resumer->result = (words){(self->sum += 10), 77};
  words got = fibril__switch_result(&self->context, self->back);
  check(got.low == self->sum + 1 && got.high == self->sum + 2,
        "the result is %d, %d instead of %d, %d", (int)got.low, (int)got.high, (int)self->sum + 1,
        (int)self->sum + 2);
}

static void answering(coroutine *self) {
  switch_with_registers(self, answer, 200, "coroutine");
  self->number = (int)keep_busy(self, answer, 3);
  resumer->result.low = self->sum;
}

static void test_results_are_passed(void) {
  coroutine one, me;
  resumer = &me;
  start(&one, answering);
  switch_with_registers(&one, ask, 300, "resumer");
  uint64_t sum = keep_busy(&one, ask, 4);
  check(sum == keep_busy(NULL, leave_nothing, 4), "the resumer's locals have changed");
  ask(&one);
  check(one.number == (int)keep_busy(NULL, leave_nothing, 3),
        "the coroutine's locals have changed");
  finish(&one);
}

/* ---- Entry ---- */

/* The compiler takes the alignment of the stack for granted: a coroutine that begins on another one
 * faults here. */
__attribute__((noinline)) static void store_aligned(coroutine *self) {
  _Alignas(16) char local[16];
#if defined(__x86_64__)
  __asm__ volatile("movaps %%xmm0, %0" : "=m"(local));
#else
  __asm__ volatile("str q0, %0" : "=m"(local));
#endif
  self->sum = (uintptr_t)local % 16;
}

static void aligned(coroutine *self) {
  store_aligned(self);
  check(self->sum == 0, "a local is %d bytes off", (int)self->sum);
  yield(self);
  store_aligned(self);
}

static void test_stack_is_aligned(void) {
  coroutine one;
  start(&one, aligned);
  resume(&one);
  resume(&one);
  finish(&one);
}

static void note(coroutine *self) {
  char local = 0;
  uintptr_t base = (uintptr_t)self->stack, here = (uintptr_t)&local;
  check(here > base && here < base + STACK_SIZE, "a local is not on the coroutine's stack");
  check(base + STACK_SIZE - here < 1024, "the coroutine begins %d bytes below the top",
        (int)(base + STACK_SIZE - here));
}

static void test_runs_on_its_own_stack(void) {
  coroutine one;
  start(&one, note);
  resume(&one);
  finish(&one);
}

static void nest(coroutine *self) {
  coroutine inner;
  start(&inner, self->number == 1 ? busy : nest);
  inner.number = self->number - 1;
  do {
    resume(&inner);
    yield(self);
  } while (!inner.ended);
  self->sum = inner.sum;
  finish(&inner);
}

static void test_coroutines_resume_coroutines(void) {
  coroutine outer;
  start(&outer, nest);
  outer.number = 3;
  while (!outer.ended) resume(&outer);
  check(outer.sum == keep_busy(NULL, leave_nothing, 2), "the innermost one's locals have changed");
  finish(&outer);
}

/* ---- Unwinding ---- */

#define FRAMES 64

static void *frames[FRAMES];
static int frame_count;

/* backtrace() stops at a frame that is its own caller; others, gdb and perf among them, must not
 * find such a one. */
static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *data) {
  (void)data;
  uintptr_t address = _Unwind_GetIP(context);
  if (frame_count == FRAMES) return _URC_NORMAL_STOP;
  if (address != 0) frames[frame_count++] = (void *)address; /* 0: above the outermost one */
  return _URC_NO_REASON;
}

static void unwind(void) {
  frame_count = 0;
  _Unwind_Reason_Code reason = _Unwind_Backtrace(count_frame, NULL);
  check(reason == _URC_END_OF_STACK, "_Unwind_Backtrace() gives %d", (int)reason);
}

#if defined(__GLIBC__)
static void glibc_backtrace(void) {
  frame_count = backtrace(frames, FRAMES);
}
#endif

__attribute__((noinline)) static void trace(void (*how)(void), unsigned depth) {
  if (depth > 0)
    trace(how, depth - 1);
  else
    how();
  __asm__ volatile("");
}

static void check_trace(const char *name, void (*how)(void)) {
  trace(how, 3);
  uintptr_t entry = (uintptr_t)fibril__entry;
  uintptr_t last = frame_count > 0 ? (uintptr_t)frames[frame_count - 1] : 0;
  check(frame_count >= 5 && frame_count < 20, "%s found %d frames", name, frame_count);
  check(last > entry && last < entry + 64, "%s ends at %#lx, fibril__entry is at %#lx", name,
        (unsigned long)last, (unsigned long)entry);
}

static void check_traces(void) {
  check_trace("_Unwind_Backtrace()", unwind);
#if defined(__GLIBC__)
  check_trace("backtrace()", glibc_backtrace);
#endif
}

static void traced(coroutine *self) {
  check_traces();
  yield(self);
  check_traces();
}

static void test_unwinding_ends_at_the_entry(void) {
  coroutine one;
  start(&one, traced);
  resume(&one);
  resume(&one);
  finish(&one);
}

#if defined(WITH_FRAME_POINTERS)

/* As profilers do it: each frame begins with the address of the one above. */
__attribute__((noinline)) static void walk(coroutine *self, unsigned depth) {
  if (depth > 0) {
    walk(self, depth - 1);
    __asm__ volatile("");
    return;
  }
  int count = 0;
  uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
  while (frame > (uintptr_t)self->stack && frame < (uintptr_t)self->stack + STACK_SIZE &&
         count < 64) {
    count++;
    memcpy(&frame, (void *)frame, sizeof frame);
  }
  check(frame == 0, "the chain of frame pointers ends with %#lx", (unsigned long)frame);
  check(count >= 5, "the chain of frame pointers has %d frames", count);
}

static void walked(coroutine *self) {
  walk(self, 3);
  yield(self);
  walk(self, 3);
}

static void test_frame_pointers_end_at_the_entry(void) {
  coroutine one;
  start(&one, walked);
  resume(&one);
  resume(&one);
  finish(&one);
}

#endif

/* ---- Running them ---- */

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"locals survive", test_locals_survive},
    {"many take turns", test_many_take_turns},
    {"registers survive", test_registers_survive},
    {"results are passed", test_results_are_passed},
    {"the stack is aligned", test_stack_is_aligned},
    {"a coroutine runs on its own stack", test_runs_on_its_own_stack},
    {"coroutines resume coroutines", test_coroutines_resume_coroutines},
    {"unwinding ends at the entry", test_unwinding_ends_at_the_entry},
#if defined(WITH_FRAME_POINTERS)
    {"frame pointers end at the entry", test_frame_pointers_end_at_the_entry},
#endif
};

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
#if defined(EXPECT_INLINE)
  check(FIBRIL_SWITCH_INLINE == EXPECT_INLINE,
        "this build was to test the other form of the switch");
#endif
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    test_name = tests[i].name;
    tests[i].run();
    printf("%s %s\n", failures == 0 ? "ok" : "not ok", test_name);
    failed_tests += failures != 0;
    failures = 0;
  }
  return failed_tests;
}
