/* switch CPU ROUNDS MILLISECONDS [ROW...]: runs every row, or those named, on the processor of that
 * number, or with -1 on the one it finds itself on; in each round all contenders one after the
 * other, each for about MILLISECONDS. Prints a line for each sample: row, contender and
 * nanoseconds, of one direction of a switch or of one coroutine created and ended; and what a
 * processor does beside: `state`, `cycle` and nanoseconds, `state`, `adds` and how many in a cycle.
 * switch rows: prints the names of the rows. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#include <sched.h>
#endif

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct row rows[] = {
    {"hot", YIELD, 1},       {"deep", DEEP, 1},         {"1k", YIELD, 1000},
    {"100k", YIELD, 100000}, {"create+end", CREATE, 1}, {"generator", GENERATOR, 1},
};

static const struct contender *const contenders[] = {
    &fibril_contender,
#if WITH_BOOST
    &boost_contender,
#endif
    &ucontext_contender,
    &call_contender,
};

#define ROWS (sizeof rows / sizeof rows[0])
#define CONTENDERS (sizeof contenders / sizeof contenders[0])

size_t *shuffled(size_t count) {
  size_t *order = malloc(count * sizeof *order);
  if (order == NULL) return NULL;
  uint64_t random = 88172645463325252;
  for (size_t i = 0; i < count; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    size_t other = random % (i + 1);
    order[i] = order[other];
    order[other] = i;
  }
  return order;
}

/* So that the scheduler does not move the process in the middle of a round. */
static void stay_on(int cpu) {
#if defined(__linux__)
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu < 0 ? sched_getcpu() : cpu, &cpus);
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0) {
    perror("sched_setaffinity");
    exit(1);
  }
#else
  (void)cpu;
#endif
}

/* The processor's time, so that other processes' turns don't count. */
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- The state of the processor ---- */

#define ADDS 64000

/* Adds that the compiler can't put together, enough for the loop around them not to count. */
#define ADD(x) \
  (x)++;       \
  __asm__ volatile("" : "+r"(x))
#define ADD4(w, x, y, z) \
  ADD(w);                \
  ADD(x);                \
  ADD(y);                \
  ADD(z)
#define ADD16(w, x, y, z) \
  ADD4(w, x, y, z);       \
  ADD4(w, x, y, z);       \
  ADD4(w, x, y, z);       \
  ADD4(w, x, y, z)
#define ADD64(w, x, y, z) \
  ADD16(w, x, y, z);      \
  ADD16(w, x, y, z);      \
  ADD16(w, x, y, z);      \
  ADD16(w, x, y, z)

/* Each needs the one before: one a cycle. */
static double chained_adds(void) {
  uint64_t a = 0;
  double start = now();
  for (int i = 0; i < ADDS / 64; i++) {
    ADD64(a, a, a, a);
  }
  return (now() - start) / ADDS;
}

/* As many at once as the processor can, which is half as many where the other thread of its core
 * works as well. */
static double free_adds(void) {
  uint64_t a = 0, b = 0, c = 0, d = 0;
  double start = now();
  for (int i = 0; i < ADDS / 64; i++) {
    ADD64(a, b, c, d);
  }
  return (now() - start) / ADDS;
}

static void print_state(void) {
  double chained = chained_adds();
  printf("state\tcycle\t%.4f\nstate\tadds\t%.4f\n", chained, chained / free_adds());
}

struct running {
  const struct contender *contender;
  void (*run)(void *state, uint64_t rounds);
  void *state;
  uint64_t rounds;
};

static double measure(const struct running *running) {
  double start = now();
  running->run(running->state, running->rounds);
  return now() - start;
}

static void calibrate(struct running *running, double ns) {
  double took;
  for (running->rounds = 1000; (took = measure(running)) < ns / 4;) running->rounds *= 2;
  running->rounds = (uint64_t)((double)running->rounds * ns / took) + 1;
}

static size_t start_all(const struct row *row, double ns, struct running *running) {
  size_t count = 0;
  for (size_t i = 0; i < CONTENDERS; i++) {
    const struct contender *contender = contenders[i];
    /* An indirect call has no stack to find: many of them are the same one. */
    if (contender->start[row->shape] == NULL || (contender == &call_contender && row->count > 1))
      continue;
    void *state = contender->start[row->shape](row);
    if (state == NULL) exit(1);
    running[count] = (struct running){contender, contender->run[row->shape], state, 0};
    calibrate(&running[count++], ns);
  }
  return count;
}

static void run_row(const struct row *row, int rounds, double ns) {
  struct running running[CONTENDERS];
  size_t count = start_all(row, ns, running);
  double switches = row->shape == CREATE ? 1 : 2;
  for (int round = 0; round < rounds; round++) {
    print_state();
    for (size_t i = 0; i < count; i++) {
      const struct running *one = &running[((size_t)round + i) % count];
      double each = measure(one) / (double)one->rounds / switches;
      printf("%s\t%s\t%.4f\n", row->name, one->contender->name, each);
    }
  }
  for (size_t i = 0; i < count; i++) running[i].contender->stop(running[i].state);
}

static int wanted(const struct row *row, char **names) {
  if (*names == NULL) return 1;
  while (*names != NULL && strcmp(*names, row->name) != 0) names++;
  return *names != NULL;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "rows") == 0) {
    for (size_t i = 0; i < ROWS; i++) puts(rows[i].name);
    return 0;
  }
  if (argc < 4 || atoi(argv[2]) <= 0 || atof(argv[3]) <= 0) {
    fprintf(stderr, "usage: switch CPU ROUNDS MILLISECONDS [ROW...], or switch rows\n");
    return 2;
  }
  stay_on(atoi(argv[1]));
  for (size_t i = 0; i < ROWS; i++)
    if (wanted(&rows[i], argv + 4)) run_row(&rows[i], atoi(argv[2]), atof(argv[3]) * 1e6);
  return 0;
}
