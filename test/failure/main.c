/* Runs every scenario once for each call in src that it leads to, with that call failing, and once
 * more with it and all later ones failing; each time in a process of its own, so that what is done
 * once in a process is done, and fails, again. With names: only these. */
#include "inject.h"
#include "scenario.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run that takes longer hangs. */
#define HANGS_AFTER_S 60

/* Written by the process of a run, read by the one that started it. */
static struct {
  failure_run run;
  bool reported;
  size_t length;
  char failures[8192];
} * shared;

static scenario *scenarios, **last_scenario = &scenarios;

void scenario_register(scenario *one) {
  *last_scenario = one;
  last_scenario = &one->next;
}

/* ---- What a failure does where nobody has to hear of it ---- */

static const struct {
  const char *function, *call;
  bool lasting; /* also when all later calls fail */
} tolerated[] = {
    {"map_slab", "madvise", true},                /* advice */
    {"slab_give_back", "madvise", true},          /* the memory stays resident */
    {"install", "madvise", true},                 /* another kind of guard */
    {"install_batch", "syscall", true},           /* one guard at a time */
    {"probe_install", "mmap", true},              /* another kind of guard */
    {"max_map_count", "open", true},              /* the kernel's default */
    {"protect", "mprotect", true},                /* a canary */
    {"use_alternate_stack", "mmap", true},        /* overflows end the process without a sentence */
    {"use_alternate_stack", "sigaltstack", true}, /* the same */
    {"fibril__overflow_detach", "sigaltstack", true}, /* the stack stays in place, and mapped */
    {"slab_new", "calloc", false},                    /* a smaller slab */
    {"map_slab", "mmap", false},                      /* a smaller slab */
    {"fibril__overflow_publish", "calloc", false},    /* a smaller slab */
    {"control", "epoll_ctl", true},                   /* a stale entry is found later */
    {"take_runner", "malloc", true},                  /* the runner there is does it all */
    {"add_runner", "uv_queue_work", true},            /* the same */
    {"choose_secret", "uv_random", true},             /* the time and an address are one, too */
    {"try_rest", "uv_try_write", true},               /* libuv waits for room */
    {"accept_one", "accept4", true},                  /* it is tried again */
    {"abort_uv", "setsockopt", true},                 /* a close like others */
    {"leave_port_open", "setsockopt", true},          /* a port each */
    {"is_with_itself", "getsockname", true},          /* it may be */
    {"is_with_itself", "getpeername", true},          /* the same */
    {"absolute_path", "uv_cwd", true},                /* the file is where it was */
    {"has_write_end", "getsockopt", true},            /* a close says it */
    {"listens", "getsockopt", true},                  /* the first read tells */
    {"room_ahead", "realloc", true},                  /* it is read when somebody asks */
    {"fibril__descriptor_block", "fcntl", true},      /* the open file stays as it was left */
    {"fibril__within_begin", "malloc", true},         /* reports name the wait inside */
    {"remove_file", "stat", true},                    /* the file stays */
    {"renew", "epoll_create1", true},                 /* another time */
    {"abort_uv", "setsockopt", true},                 /* an ordinary close */
    {"fibril__job_take_back", "uv_cancel", true},     /* the runner finds nothing to do */
    {"fibril__failures_add", "malloc", true},         /* the report has a line less */
    {"check_program", "stat", true},                  /* it is looked for elsewhere */
    {"open_pidfd", "syscall", true},                  /* the other way is gone */
    {"has_pidfds", "syscall", true},                  /* the same */
    {"look_at", "waitid", true},                      /* the same */
    {"misses_programs", "posix_spawn", true},         /* the same */
    {"kill_posix", "syscall", true},                  /* it ends when its pipes do */
    {"kill_posix", "kill", true},                     /* the same */
    {"kill_libuv", "kill", true},                     /* the same */
    {"look_at", "waitid", true},                      /* the same */
    {"spawn_posix", "kill", true},                    /* the same */
    {"start_thread", "pthread_create", true},         /* a zombie, for as long as the process */
};

static bool is_tolerated(const failure_site *site, bool lasting) {
  for (size_t i = 0; i < sizeof tolerated / sizeof tolerated[0]; i++)
    if (strcmp(site->function, tolerated[i].function) == 0 &&
        strcmp(site->call, tolerated[i].call) == 0)
      return tolerated[i].lasting || !lasting;
  return false;
}

static bool has_failed(const char *function, const char *call) {
  for (size_t i = 0; i < failure_count(); i++)
    if (shared->run.failed[i] > 0 && strcmp(failure_at(i)->function, function) == 0 &&
        strcmp(failure_at(i)->call, call) == 0)
      return true;
  return false;
}

/* What stays for as long as the process: the fault handler's table, and an alternate stack that the
 * system doesn't take back. */
static bool is_permanent(const failure_site *site) {
  return strcmp(site->function, "fibril__overflow_publish") == 0 ||
         (strcmp(site->function, "use_alternate_stack") == 0 &&
          has_failed("fibril__overflow_detach", "sigaltstack"));
}

/* ---- In the process of a run ---- */

void scenario_fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t room = sizeof shared->failures - shared->length;
  int used = vsnprintf(shared->failures + shared->length, room, format, args);
  va_end(args);
  if (used > 0 && (size_t)used + 1 < room) {
    shared->length += (size_t)used;
    shared->failures[shared->length++] = '\n';
  }
}

bool scenario_ok(int code, const char *text, const char *file, int line) {
  if (code >= 0) return true;
  shared->reported = true;
  if (!failure_gave(code))
    scenario_fail("%s:%d: %s gave %s", file, line, text, fibril_err_name(code));
  return false;
}

void scenario_run(fibril_loop *loop, fibril_fn fn, void *arg) {
  fibril_value result;
  if (!OK(fibril_loop_run_sync(loop, fn, arg, 0, &result))) return;
  OK_VALUE(result);
  fibril_value_free(result);
}

void scenario_until(fibril_loop *loop, bool (*condition)(void *arg), void *arg) {
  while (!condition(arg))
    if (uv_run(fibril_loop_uv(loop), UV_RUN_ONCE) == 0 && !condition(arg)) return;
}

static void hear(const char *message, fibril_value error, void *arg) {
  (void)arg;
  scenario_ok(fibril_error_code(error), message, "log", 0);
}

static void note(void *arg) {
  *(bool *)arg = true;
}

static fibril_value child(void *arg) {
  (void)arg;
  int err = fibril_sleep(0);
  return err == 0 ? fibril_string("well", FIBRIL_AUTO_LENGTH) : fibril_error(err, NULL);
}

static fibril_value all_is_well(void *arg) {
  bool worked = false;
  (void)arg;
  fibril_future *future = fibril_spawn(child, NULL, NULL);
  fibril_value value = fibril_await(future);
  bool well = fibril_value_string(value, NULL) != NULL &&
              strcmp(fibril_value_string(value, NULL), "well") == 0;
  fibril_future_unref(future);
  int err = fibril_work(note, &worked);
  return fibril_boolean(well && err == 0 && worked);
}

/* What failed is over: everything works. */
static void check_loop(fibril_loop *loop) {
  fibril_value result;
  failure_pause();
  int err = fibril_loop_run_sync(loop, all_is_well, NULL, 0, &result);
  if (err != 0) scenario_fail("afterwards run_sync gives %s", fibril_err_name(err));
  if (!fibril_value_boolean(result)) scenario_fail("afterwards a coroutine does not work");
  fibril_value_free(result);
  failure_resume();
}

static void name_handle(uv_handle_t *handle, void *arg) {
  (void)arg;
  scenario_fail("left open: a libuv %s handle", uv_handle_type_name(uv_handle_get_type(handle)));
}

static void name_block(const failure_site *site, void *arg) {
  (void)arg;
  if (!is_permanent(site))
    scenario_fail("left allocated: %s at %s:%d", site->call, site->file, site->line);
}

static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder != NULL && readdir(folder) != NULL) count++;
  if (folder != NULL) closedir(folder);
  return count;
}

static fibril_loop *open_loop(uv_loop_t *uv) {
  fibril_loop *loop = NULL;
  if (!OK(fibril_loop_new(uv, &loop))) {
    failure_pause();
    int err = fibril_loop_new(uv, &loop);
    if (err != 0) scenario_fail("the second time fibril_loop_new gives %s", fibril_err_name(err));
  }
  fibril_loop_set_log(loop, hear, NULL);
  return loop;
}

static void run_scenario(const scenario *one, unsigned nth, bool lasting) {
  uv_loop_t uv;
  bool closed = false;
  if (one->guard != NULL) setenv("FIBRIL_GUARD", one->guard, 1);
  /* What libuv keeps for as long as the process. */
  uv_loop_init(&uv);
  uv_loop_close(&uv);
  int before = descriptors();
  uv_loop_init(&uv);
  failure_start(nth, lasting ? UINT_MAX : nth);
  fibril_loop *loop = open_loop(&uv);
  one->body(loop);
  if (!lasting) check_loop(loop);
  MUST(fibril_loop_close(loop, note, &closed) == 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  failure_pause();
  MUST(closed);
  uv_walk(&uv, name_handle, NULL);
  MUST(uv_loop_close(&uv) == 0);
  failure_blocks(name_block, NULL);
  MUST(descriptors() == before);
}

/* ---- In the process that starts them ---- */

static struct {
  unsigned runs, calls, reported, tolerated;
  unsigned failed[FAILURE_SITES_MAX];
} total;

static const failure_site *first_failed(void) {
  for (size_t i = 0; i < failure_count(); i++)
    if (shared->run.failed[i] > 0) return failure_at(i);
  return NULL;
}

/* Whether nobody had to hear of what failed in the run. */
static bool all_tolerated(bool lasting) {
  for (size_t i = 0; i < failure_count(); i++)
    if (shared->run.failed[i] > 0 && !is_tolerated(failure_at(i), lasting)) return false;
  return true;
}

/* What is wrong with the run that has just ended, or NULL. */
static const char *judge(int status, bool lasting) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "it hangs";
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return "it crashes";
  if (shared->length > 0) return "something is wrong afterwards";
  if (!shared->reported && !all_tolerated(lasting)) return "nobody heard of it";
  return NULL;
}

static int run_apart(const scenario *one, unsigned nth, bool lasting, FILE *errors) {
  memset(shared, 0, sizeof *shared);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(fileno(errors), STDERR_FILENO);
    alarm(HANGS_AFTER_S);
    run_scenario(one, nth, lasting);
    _exit(0);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

/* True when the run went as it should. */
static bool run(const scenario *one, unsigned nth, bool lasting) {
  char errors[16384];
  FILE *file = tmpfile();
  int status = run_apart(one, nth, lasting, file);
  rewind(file);
  errors[fread(errors, 1, sizeof errors - 1, file)] = '\0';
  fclose(file);
  const char *problem = judge(status, lasting);
  total.runs += nth > 0;
  total.reported += nth > 0 && shared->reported;
  total.tolerated += nth > 0 && !shared->reported;
  for (size_t i = 0; i < failure_count(); i++) total.failed[i] += shared->run.failed[i];
  if (problem == NULL) return true;
  const failure_site *site = first_failed();
  printf("  not ok %s, call %u%s fails", one->name, nth, lasting ? " and all after it" : "");
  if (site != NULL)
    printf(" (%s in %s, %s:%d)", site->call, site->function, site->file, site->line);
  printf(": %s\n%s%s", problem, shared->failures, errors);
  return false;
}

static bool run_all(const scenario *one) {
  bool good = run(one, 0, false);
  unsigned calls = shared->run.calls, bad = 0;
  total.calls += calls;
  for (unsigned nth = 1; nth <= calls && good; nth++) {
    bad += !run(one, nth, false);
    bad += !run(one, nth, true);
  }
  if (good && bad == 0) printf("  ok %s: %u calls\n", one->name, calls);
  return good && bad == 0;
}

/* Why no scenario here leads to a call; NULL: one has to. */
static const char *out_of_reach(const failure_site *site) {
  return strcmp(site->function, "fibril__buffer_part") == 0 && strcmp(site->call, "malloc") == 0
             ? "is called when an environment of Node's ends"
             : NULL;
}

/* Every site has failed, be it in one of its copies: inline functions have some. */
static unsigned check_coverage(void) {
  unsigned missing = 0;
  for (size_t i = 0; i < failure_count(); i++) {
    const failure_site *site = failure_at(i);
    unsigned failed = 0;
    for (size_t j = 0; j < failure_count(); j++)
      if (failure_at(j)->line == site->line && strcmp(failure_at(j)->file, site->file) == 0 &&
          strcmp(failure_at(j)->call, site->call) == 0)
        failed += total.failed[j];
    if (failed > 0) continue;
    const char *reason = out_of_reach(site);
    if (reason != NULL) {
      printf("  skipped %s in %s: %s\n", site->call, site->function, reason);
      continue;
    }
    missing++;
    printf("  not ok: never failed: %s in %s, %s:%d\n", site->call, site->function, site->file,
           site->line);
  }
  if (missing == 0) printf("  ok every one of %zu calls in src failed\n", failure_count());
  return missing;
}

/* What is tolerated is still there. */
static unsigned check_tolerated(void) {
  unsigned stale = 0;
  for (size_t i = 0; i < sizeof tolerated / sizeof tolerated[0]; i++) {
    bool found = false;
    for (size_t j = 0; j < failure_count(); j++)
      found |= strcmp(failure_at(j)->function, tolerated[i].function) == 0 &&
               strcmp(failure_at(j)->call, tolerated[i].call) == 0;
    if (found) continue;
    stale++;
    printf("  not ok: tolerated, but not in src: %s in %s\n", tolerated[i].call,
           tolerated[i].function);
  }
  return stale;
}

static bool chosen(const scenario *one, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], one->name) == 0) return true;
  return argc < 2;
}

int main(int argc, char **argv) {
  unsigned passed = 0, failed = 0;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED || failure_count() > FAILURE_SITES_MAX) return 2;
  failure_current = &shared->run;
  for (const scenario *one = scenarios; one != NULL; one = one->next) {
    if (!chosen(one, argc, argv)) continue;
    if (run_all(one))
      passed++;
    else
      failed++;
  }
  if (argc < 2) {
    if (check_coverage() + check_tolerated() > 0)
      failed++;
    else
      passed++;
  }
  printf("%u calls, %u runs with failures: %u reported, %u tolerated\n", total.calls, total.runs,
         total.reported, total.tolerated);
  printf("%u passed, %u failed\n", passed, failed);
  return failed > 0;
}
