/* What the tests of great numbers share: the system's memory and this process's, notes that the
 * runner prints, random numbers that are the same in every run. */
#ifndef FIBRIL_TEST_SCALE_H
#define FIBRIL_TEST_SCALE_H

#include "../c/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A figure as seen, or why a test does less than it would. */
FIBRIL_PRINTF(1, 2) static inline void note(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("# ", stdout);
  vprintf(format, args);
  putchar('\n');
  va_end(args);
}

/* A line like "VmRSS:   1234 kB" of a file in /proc, in bytes; -1 when it isn't there. */
static inline double proc_bytes(const char *path, const char *key) {
  char line[256];
  double bytes = -1;
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  while (bytes < 0 && fgets(line, sizeof line, file) != NULL) {
    long kib;
    size_t length = strlen(key);
    if (strncmp(line, key, length) == 0 && line[length] == ':' &&
        sscanf(line + length + 1, "%ld", &kib) == 1)
      bytes = (double)kib * 1024;
  }
  fclose(file);
  return bytes;
}

static inline double resident(void) {
  return proc_bytes("/proc/self/status", "VmRSS");
}

static inline double page_tables(void) {
  return proc_bytes("/proc/self/status", "VmPTE");
}

/* `most`, or `fewer` when less than `bytes` of memory are free; then it says so. */
static inline int as_memory_allows(int most, int fewer, double bytes) {
  double available = proc_bytes("/proc/meminfo", "MemAvailable");
  if (available >= bytes) return most;
  note("only %.1f GB are free, %.1f are needed for %d: %d instead", available / 1e9, bytes / 1e9,
       most, fewer);
  return fewer;
}

static inline uint64_t random_next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

#endif
