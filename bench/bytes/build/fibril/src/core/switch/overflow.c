#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* REG_RSP, MAP_ANONYMOUS */
#endif

#include "overflow.h"

#include "process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

/* Room for the handlers we pass faults on to: V8's, and crash reporters that collect a backtrace.
 */
#define ALTERNATE_STACK_BYTES ((size_t)128 * 1024)

#define NAME_MAX_BYTES 64
#define MESSAGE_MAX_BYTES 512

#define CHUNK_SLABS 64

/* The slabs of all threads. Chunks are added and never freed, so that the handler can walk them at
 * any moment without a lock. */
typedef struct chunk chunk;
struct chunk {
  _Atomic(fibril__slab *) slabs[CHUNK_SLABS];
  _Atomic(chunk *) next;
};

static chunk table;

/* Handlers looking at slabs right now: a slab withdrawn from the table may be freed when there is
 * none. */
static atomic_uint readers;

int fibril__overflow_publish(fibril__slab *slab) {
  for (chunk *c = &table;;) {
    for (int i = 0; i < CHUNK_SLABS; i++) {
      fibril__slab *empty = NULL;
      if (atomic_compare_exchange_strong(&c->slabs[i], &empty, slab)) return 0;
    }
    chunk *next = atomic_load(&c->next);
    if (next == NULL) {
      chunk *added = calloc(1, sizeof *added);
      if (added == NULL) return UV_ENOMEM;
      if (atomic_compare_exchange_strong(&c->next, &next, added))
        next = added;
      else
        free(added); /* another thread was faster, `next` is its chunk */
    }
    c = next;
  }
}

void fibril__overflow_withdraw(fibril__slab *slab) {
  for (chunk *c = &table; c != NULL; c = atomic_load(&c->next))
    for (int i = 0; i < CHUNK_SLABS; i++)
      if (atomic_load(&c->slabs[i]) == slab) atomic_store(&c->slabs[i], NULL);
  while (atomic_load(&readers) != 0) sched_yield();
}

/* What the handler found out; a copy, because the slab may be gone once it has stopped reading. */
typedef struct {
  int found;
  int in_slot; /* the stack pointer is in the same slot as the fault */
  size_t size;
  char name[NAME_MAX_BYTES + 1];
} overflow;

static void describe(const fibril__stack *stack, overflow *out) {
  const char *name = stack->name;
  if (name == NULL || *name == '\0') name = "unnamed";
  size_t n = 0;
  for (; n < NAME_MAX_BYTES && name[n] != '\0'; n++) out->name[n] = name[n];
  out->name[n] = '\0';
  out->size = fibril__stack_size(stack);
}

static void look_into_slab(const fibril__slab *slab, uintptr_t fault, uintptr_t sp, overflow *out) {
  uintptr_t start = (uintptr_t)slab->memory;
  if (fault < start || fault - start >= slab->slot * slab->count) return;
  size_t index = (fault - start) / slab->slot;
  uintptr_t low = start + index * slab->slot;
  const fibril__stack *stack = fibril__slab_taken(slab, (uint32_t)index);
  if (stack == NULL || fault >= (uintptr_t)stack->base) return;

  out->in_slot = sp >= low && sp <= low + slab->slot;
  /* A frame can be so large that the stack pointer is below the guard; but a fault from further up
   * in memory, or at a free stack, is only a stray pointer. */
  int may_be_frame = sp < low && low - sp <= FIBRIL__STACK_MAX;
  if (!out->in_slot && !may_be_frame) return;
  out->found = 1;
  describe(stack, out);
}

static void find_overflow(uintptr_t fault, uintptr_t sp, overflow *out) {
  out->found = 0;
  atomic_fetch_add(&readers, 1);
  for (chunk *c = &table; c != NULL && !out->found; c = atomic_load(&c->next)) {
    for (int i = 0; i < CHUNK_SLABS && !out->found; i++) {
      const fibril__slab *slab = atomic_load(&c->slabs[i]);
      if (slab != NULL) look_into_slab(slab, fault, sp, out);
    }
  }
  atomic_fetch_sub(&readers, 1);
}

/* printf is not async-signal-safe. */
typedef struct {
  size_t length;
  char text[MESSAGE_MAX_BYTES];
} message;

static void add_text(message *m, const char *text) {
  while (*text != '\0' && m->length < sizeof m->text) m->text[m->length++] = *text++;
}

static void add_number(message *m, size_t number) {
  char digits[24];
  size_t n = sizeof digits;
  digits[--n] = '\0';
  do {
    digits[--n] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  add_text(m, digits + n);
}

static void report(const overflow *found) {
  message m = {.length = 0};
  add_text(&m, found->in_slot ? "fibril: stack overflow in coroutine \""
                              : "fibril: access below the stack of coroutine \"");
  add_text(&m, found->name);
  add_text(&m, "\" (stack size ");
  add_number(&m, found->size);
  add_text(&m, found->in_slot ? " bytes): "
                              : " bytes), by a frame larger than its stack or a stray write: ");
  add_text(&m, "give it a larger stack_size or move large local variables to the heap\n");
  size_t done = 0;
  while (done < m.length) {
    ssize_t n = write(STDERR_FILENO, m.text + done, m.length - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += (size_t)n;
  }
}

/* The faults a guard page raises. Apple's kernel calls them SIGBUS. */
static const int signals[] = {
    SIGSEGV,
#if !defined(__linux__)
    SIGBUS,
#endif
};
#define SIGNALS (sizeof signals / sizeof signals[0])

/* Who had the signals before. Written before our handler is in place and when SA_RESETHAND has used
 * one up. */
static struct sigaction previous[SIGNALS];

static uintptr_t stack_pointer(const ucontext_t *context, uintptr_t otherwise) {
#if defined(__linux__) && defined(__x86_64__)
  (void)otherwise;
  return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__linux__) && defined(__aarch64__)
  (void)otherwise;
  return (uintptr_t)context->uc_mcontext.sp;
#elif defined(__APPLE__) && defined(__x86_64__)
  (void)otherwise;
  return (uintptr_t)context->uc_mcontext->__ss.__rsp;
#elif defined(__APPLE__) && defined(__aarch64__)
  (void)otherwise;
  return (uintptr_t)context->uc_mcontext->__ss.__sp;
#else
  (void)context;
  return otherwise;
#endif
}

static void set_default(int signal) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

/* The default action, with the registers of the fault in the core dump: the instruction runs again
 * and faults without a handler. A signal that somebody sent would not come again by itself; it
 * stays pending until this handler returns. */
static void die(int signal, int sent) {
  set_default(signal);
  if (sent) raise(signal);
}

void fibril__overflow_die(const fibril__stack *stack) {
  overflow found = {.found = 1, .in_slot = 1};
  describe(stack, &found);
  report(&found);
  die(SIGSEGV, 1);
  abort(); /* SIGSEGV is blocked */
}

/* The signal mask is the one the kernel would have set for that handler; returning from ours
 * restores the interrupted one. */
static void pass_on(int signal, siginfo_t *info, void *context, struct sigaction *to) {
  struct sigaction action = *to;
  int sent = info->si_code <= 0;
  int plain = !(action.sa_flags & SA_SIGINFO);
  if (plain && action.sa_handler == SIG_IGN && sent) return;
  if (plain && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)) {
    die(signal, sent);
    return;
  }
  if ((unsigned)action.sa_flags & (unsigned)SA_RESETHAND) {
    to->sa_flags = 0;
    to->sa_handler = SIG_DFL;
  }
  sigset_t mask = ((const ucontext_t *)context)->uc_sigmask;
  for (int i = 1; i < NSIG; i++)
    if (sigismember(&action.sa_mask, i) == 1) sigaddset(&mask, i);
  if (!(action.sa_flags & SA_NODEFER)) sigaddset(&mask, signal);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  if (plain)
    action.sa_handler(signal);
  else
    action.sa_sigaction(signal, info, context);
}

static bool claim(uintptr_t fault, uintptr_t sp) {
  overflow found;
  find_overflow(fault, sp, &found);
  if (found.found) report(&found);
  return found.found;
}

static bool anybody_claims(uintptr_t fault, uintptr_t sp) {
  const fibril__claimant *c = atomic_load(&fibril__shared->claimants);
  while (c != NULL && !c->claim(fault, sp)) c = c->next;
  return c != NULL;
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  int saved_errno = errno;
  uintptr_t fault = (uintptr_t)info->si_addr;
  if (info->si_code > 0 && anybody_claims(fault, stack_pointer(context, fault))) {
    die(signal, 0);
  } else {
    for (size_t i = 0; i < SIGNALS; i++)
      if (signals[i] == signal) pass_on(signal, info, context, &previous[i]);
  }
  errno = saved_errno;
}

/* The handler of one copy does for all, as long as nobody else has come after it: were there one
 * for each, a fault that is nobody's would go through all of them, nested. */
static void install_handlers(void) {
  fibril__process_keep_file(previous); /* the handler is in it */
  static fibril__claimant own = {.claim = claim};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  uv_mutex_lock(&fibril__shared->mutex);
  void (*there)(int, siginfo_t *, void *) = fibril__shared->handler;
  own.next = atomic_load(&fibril__shared->claimants);
  atomic_store(&fibril__shared->claimants, &own);
  for (size_t i = 0; i < SIGNALS; i++) {
    /* Asked for first: a fault on another thread must not find our handler without the one to pass
     * it on to. */
    if (sigaction(signals[i], NULL, &previous[i]) != 0) continue;
    if (there != NULL && previous[i].sa_sigaction == there) continue;
    if (sigaction(signals[i], &action, NULL) == 0) fibril__shared->handler = on_fault;
  }
  uv_mutex_unlock(&fibril__shared->mutex);
}

static uv_once_t handlers_once = UV_ONCE_INIT;

/* Only read and written by attach and detach, never on the way of a switch or in the handler. */
static _Thread_local struct {
  unsigned attached;
  char *memory; /* NULL when the thread had an alternate stack already */
} thread;

/* Without an alternate stack an overflow ends the process as it would without fibril. */
static void use_alternate_stack(void) {
  stack_t current;
  if (sigaltstack(NULL, &current) || !(current.ss_flags & SS_DISABLE)) return;
  char *memory =
      mmap(NULL, ALTERNATE_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t ours = {.ss_sp = memory, .ss_size = ALTERNATE_STACK_BYTES};
  if (sigaltstack(&ours, NULL))
    munmap(memory, ALTERNATE_STACK_BYTES);
  else
    thread.memory = memory;
}

void fibril__overflow_attach(void) {
  uv_once(&handlers_once, install_handlers);
  thread.attached++;
  if (thread.memory == NULL) use_alternate_stack();
}

/* A stack that somebody replaced stays mapped: they may put it back. */
void fibril__overflow_detach(void) {
  if (thread.attached == 0 || --thread.attached > 0 || thread.memory == NULL) return;
  stack_t current;
  if (sigaltstack(NULL, &current) == 0 && current.ss_sp == (void *)thread.memory) {
    stack_t none = {.ss_flags = SS_DISABLE, .ss_size = ALTERNATE_STACK_BYTES};
    if (sigaltstack(&none, NULL) == 0) munmap(thread.memory, ALTERNATE_STACK_BYTES);
  }
  thread.memory = NULL;
}
