#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* madvise, MAP_ANONYMOUS, syscall */
#endif

#include "process.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

/* The kernel's numbers, newer than the headers fibril is built with. */
#define GUARD_INSTALL_ADVICE 102
#define PIDFD_SELF_NUMBER (-10000)
#define PROCESS_MADVISE_NUMBER 440

#define GUARD_MIN ((size_t)64 * 1024)

/* Zero pages that were never written cost no memory to look at, so the canary is zeros: as wide as
 * a frame usually is. */
#define CANARY_BYTES 512

/* Of LD_PRELOAD: valgrind has three files there. */
#define PRELOADED_MAX 4096

/* Without vm.max_map_count to derive it from. */
#define DEFAULT_MAX_MAP_COUNT 65530

atomic_int fibril__watch;

static struct {
  uv_once_t once;
  size_t page;
  size_t size;
  int kind;
  int forced;   /* FIBRIL_GUARD asked for this kind */
  int64_t most; /* by mprotect, in the whole process */
#if defined(__linux__)
  int batch; /* process_madvise works on the own process */
#endif
} guard = {.once = UV_ONCE_INIT};

static void warn(const char *message) {
  size_t length = strlen(message);
  while (length > 0) {
    ssize_t n = write(STDERR_FILENO, message, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    message += n;
    length -= (size_t)n;
  }
}

#if defined(__linux__)

static int install(char *address, size_t size) {
  return madvise(address, size, GUARD_INSTALL_ADVICE);
}

/* Valgrind would complain about a system call that it doesn't know. */
static int under_valgrind(void) {
  char preloaded[PRELOADED_MAX];
  return fibril__setting("LD_PRELOAD", preloaded, sizeof preloaded) &&
         strstr(preloaded, "vgpreload") != NULL;
}

/* 0 when all guards were set in one call. */
static int install_batch(char *first, size_t stride, unsigned count) {
  struct iovec regions[FIBRIL__GUARD_BATCH];
  for (unsigned i = 0; i < count; i++) {
    regions[i].iov_base = first + i * stride;
    regions[i].iov_len = guard.size;
  }
  long n = syscall(PROCESS_MADVISE_NUMBER, PIDFD_SELF_NUMBER, regions, (long)count,
                   GUARD_INSTALL_ADVICE, 0L);
  return n == (long)(count * guard.size) ? 0 : -1;
}

/* Whether a system call can write a byte there. It fails where an access would fault, needs no file
 * descriptor, and valgrind, which reads paths and buffers itself, leaves its result to the kernel.
 */
static int accessible(char *address) {
  char *page = address - (uintptr_t)address % guard.page;
  return mincore(page, guard.page, (unsigned char *)address) == 0;
}

/* Emulators answer 0 to the advice and guard nothing: so install guards and look. */
static void probe_install(int *single, int *batch) {
  size_t bytes = 4 * guard.size;
  char *memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  *single = *batch = 0;
  if (memory == MAP_FAILED) return;
  if (install(memory, guard.size) == 0)
    *single = !accessible(memory) && !accessible(memory + guard.size - 1) &&
              accessible(memory + guard.size);
  if (*single && !under_valgrind() && install_batch(memory + guard.size, 2 * guard.size, 2) == 0)
    *batch = !accessible(memory + guard.size) && accessible(memory + 2 * guard.size) &&
             !accessible(memory + bytes - 1);
  munmap(memory, bytes);
}

static long max_map_count(void) {
  char text[32] = "";
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return DEFAULT_MAX_MAP_COUNT;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  long count = n > 0 ? strtol(text, NULL, 10) : 0;
  return count > 0 ? count : DEFAULT_MAX_MAP_COUNT;
}

#else

static int install(char *address, size_t size) {
  (void)address;
  (void)size;
  return -1;
}

/* No limit on mappings is known here; this many cost the kernel megabytes already. */
static long max_map_count(void) {
  return 1 << 20;
}

#endif

static int kind_by_name(const char *name) {
  static const char *const names[] = {"install", "mprotect", "canary"};
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) return i;
  return -1;
}

static void choose_kind(void) {
  guard.page = (size_t)sysconf(_SC_PAGESIZE);
  guard.size = (GUARD_MIN + guard.page - 1) / guard.page * guard.page;
  if (guard.size / guard.page % 2 == 0) guard.size += guard.page;
  /* A guard splits one mapping into three; a quarter of the mappings stays with the rest of the
   * process. */
  guard.most = max_map_count() / 8 * 3;

  int installs = 0;
#if defined(__linux__)
  probe_install(&installs, &guard.batch);
#endif
  guard.kind = installs ? FIBRIL__GUARD_INSTALL : FIBRIL__GUARD_MPROTECT;

  char name[33];
  if (!fibril__setting("FIBRIL_GUARD", name, sizeof name) || name[0] == '\0') return;
  int kind = kind_by_name(name);
  if (kind < 0) {
    char text[160];
    snprintf(text, sizeof text,
             "fibril: FIBRIL_GUARD=%s is unknown: use install, mprotect or canary\n", name);
    warn(text);
  } else if (kind == FIBRIL__GUARD_INSTALL && !installs) {
    warn("fibril: FIBRIL_GUARD=install needs MADV_GUARD_INSTALL (Linux 6.13 or later): "
         "using mprotect\n");
  } else {
    guard.kind = kind;
    guard.forced = 1;
  }
}

static void ready(void) {
  uv_once(&guard.once, choose_kind);
}

size_t fibril__guard_size(void) {
  ready();
  return guard.size;
}

int fibril__guard_kind(void) {
  ready();
  return guard.kind;
}

static int protect(char *address) {
  if (atomic_fetch_add(&fibril__shared->guards, 1) < guard.most &&
      mprotect(address, guard.size, PROT_NONE) == 0)
    return 0;
  atomic_fetch_sub(&fibril__shared->guards, 1);
  return -1;
}

static uint8_t set_one(char *address) {
  /* The advice is refused on locked memory (mlockall), hence one kind after the other. */
  if (guard.kind == FIBRIL__GUARD_INSTALL && install(address, guard.size) == 0)
    return FIBRIL__GUARD_INSTALL;
  if (guard.kind != FIBRIL__GUARD_CANARY && protect(address) == 0) return FIBRIL__GUARD_MPROTECT;
  int asked_for = guard.forced && guard.kind == FIBRIL__GUARD_CANARY;
  if (!asked_for && !atomic_flag_test_and_set(&fibril__shared->warned))
    warn("fibril: no more guard pages: overflows of further coroutine stacks are only noticed "
         "afterwards (raise vm.max_map_count, or use Linux 6.13 or later)\n");
  atomic_fetch_or_explicit(&fibril__watch, FIBRIL__WATCH_CANARIES, memory_order_relaxed);
  return FIBRIL__GUARD_CANARY;
}

void fibril__guard_set(char *first, size_t stride, unsigned count, uint8_t *kinds) {
  ready();
#if defined(__linux__)
  if (guard.kind == FIBRIL__GUARD_INSTALL && guard.batch && count > 1 &&
      install_batch(first, stride, count) == 0) {
    memset(kinds, FIBRIL__GUARD_INSTALL, count);
    return;
  }
#endif
  for (unsigned i = 0; i < count; i++) kinds[i] = set_one(first + i * stride);
}

void fibril__guard_forget(int kind) {
  if (kind == FIBRIL__GUARD_MPROTECT) atomic_fetch_sub(&fibril__shared->guards, 1);
}

int fibril__guard_canary_intact(const char *base) {
  const uint64_t *word = (const uint64_t *)(const void *)(base - CANARY_BYTES);
  uint64_t all = 0;
  for (size_t i = 0; i < CANARY_BYTES / sizeof *word; i++) all |= word[i];
  return all == 0;
}
