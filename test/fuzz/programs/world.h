/* Random programs of coroutines: a world of futures, locks, channels, files and pipes, and players,
 * the coroutines and generators that meet there. What must always hold is checked at each step; in
 * the end the loop is closed and everything must be gone. */
#ifndef FIBRIL_TEST_FUZZ_WORLD_H
#define FIBRIL_TEST_FUZZ_WORLD_H

#include <fibril.h>

#include "../fuzz.h"

enum {
  FUTURES = 64,
  LENT = 16,
  MUTEXES = 3,
  CONDS = 2,
  EVENTS = 2,
  SEMS = 2,
  WAIT_GROUPS = 2,
  CHANNELS = 3,
  PIPES = 4,
  NO_TIMEOUT = -1
};

/* What a coroutine knows of itself. */
typedef struct player {
  fibril_coroutine *self;
  fibril_group *group; /* its own, or its parent's */
  bool owns_group;
  bool generating;
  bool bound; /* a generator called from the loop's stack: nothing may wait */
  int depth;  /* how many have called or started each other */
  int masks, deadlines;
  int locks;      /* that it holds */
  int next_mutex; /* the lowest one that it may take: in order, so that nobody waits in a ring */
} player;

/* A generator, and what its player and its callers know of each other. */
typedef struct {
  fibril_generator *generator;
  int depth;
  bool bound;   /* it was called from the loop's stack, or is from now on */
  bool grouped; /* it has a group */
  bool masked;  /* whoever called it is */
  bool closing;
} generated;

/* A value in the arena of a coroutine that goes on: whoever hands it over gets another owner. */
typedef struct {
  fibril_value value;
  const fibril_coroutine *owner; /* NULL: free */
} loan;

typedef struct {
  uv_loop_t uv;
  fibril_loop *loop;
  fibril_poster *poster;
  bool closing, closed;
  int steps;    /* that any player has made */
  int players;  /* that have not ended */
  int payloads; /* buffers that have not been released */
  int budget;   /* of players */
  fibril_future *futures[FUTURES];
  loan lent[LENT];
  fibril_mutex mutexes[MUTEXES];
  const player *holders[MUTEXES];
  fibril_cond conds[CONDS];
  fibril_event events[EVENTS];
  fibril_sem sems[SEMS], jobs;
  int inside[SEMS];
  fibril_wait_group wait_groups[WAIT_GROUPS];
  fibril_channel *channels[CHANNELS];
  int sent[CHANNELS], received[CHANNELS];
  int pipes[PIPES][2];
  int file;
  int64_t file_read; /* what reads at the file's position have given */
} world_state;

extern world_state world;

/* world.c: closes the loop, unless it is closing. */
void world_close(void);

/* players.c */
fibril_value player_run(void *arg);
fibril_value player_generate(fibril_generator *generator, void *arg);
void player_steps(player *p, int count);
/* The status of a wait without a timeout of its own, or with one. */
void player_waited(const player *p, int status, bool had_timeout);
bool player_may_start(const player *p);
/* For the `arg` of a player that is one deeper. */
void *player_deeper(const player *p);
const fibril_spawn_options *player_options(void);

/* values.c: a value of any kind and any owner, to be handed over or freed; a buffer that is
 * counted; reading all of a value. */
fibril_value value_any(int depth);
fibril_value value_payload(void);
void value_read(fibril_value value);
void value_lend(void);
void value_retract(void);

/* futures.c: a reference to one of the world, or NULL; putting one there, which takes it. */
fibril_future *future_get(void);
void future_put(fibril_future *future);
void futures_drop(void);

/* generators.c: one for the player to call, or without a player for the loop; NULL when there may
 * be none. A call, and what it gave. */
generated *generated_new(const player *p);
fibril_value generated_call(generated *g, const player *p);
void generated_free(void *g);

/* What a player can do. A file for each subject. */
typedef void step(player *p);
step step_sleep, step_moment, step_pass, step_suspend, step_mask, step_unmask, step_deadline,
    step_defer, step_local, step_lend, step_hop, step_close; /* waits.c */
step step_spawn, step_await, step_cancel, step_await_many, step_settle, step_callback,
    step_add_future;                                       /* futures.c */
step step_group_spawn, step_group_wait, step_group_cancel; /* groups.c */
step step_mutex, step_signal, step_event, step_sem, step_wait_group, step_send,
    step_receive;                          /* locks.c */
step step_generator, step_bound_generator; /* generators.c */
step step_work, step_poll, step_kept_poll, step_handler, step_vanish, step_file, step_open,
    step_realpath, step_list; /* files.c */
step step_net;                /* sockets.c */

#endif /* FIBRIL_TEST_FUZZ_WORLD_H */
