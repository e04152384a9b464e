/* Examples of docs/c-api.md, run: what stands between "example: NAME" and "end" is shown there. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void unref_future(void *future) {
  fibril_future_unref(future);
}

static fibril_value run(fibril_loop *loop, fibril_fn fn, void *arg) {
  fibril_value result;
  CHECK_INT(fibril_loop_run_sync(loop, fn, arg, 0, &result), 0);
  return result;
}

/* ---- Values ---- */

/* example: fibril_object_set */
/* {name: 'x', sizes: [1, 2]} */
static fibril_value describe(const char *name) {
  fibril_value sizes = fibril_array(2), description = fibril_object();
  fibril_array_push(sizes, fibril_number(1));
  fibril_array_push(sizes, fibril_number(2));
  fibril_object_set(description, "name", fibril_string(name, FIBRIL_AUTO_LENGTH));
  fibril_object_set(description, "sizes", sizes); /* is the object's from here on */
  return description;
}
/* end */

TEST(reference_objects) {
  fibril_value description = describe("x");
  fibril_value sizes = fibril_object_get(description, "sizes");
  CHECK_STR(fibril_value_string(fibril_object_get(description, "name"), NULL), "x");
  CHECK_INT(fibril_array_length(sizes), 2);
  CHECK_INT(fibril_value_number(fibril_array_get(sizes, 1)), 2);
  fibril_value_free(description);
}

/* example: fibril_value_take */
/* However long it runs, it keeps one value at a time. */
static fibril_value count_letters(void *arg) {
  double letters = 0;
  for (int i = 0; i < *(int *)arg; i++) {
    fibril_value text = fibril_value_take(fibril_string("some letters", FIBRIL_AUTO_LENGTH));
    letters += (double)strlen(fibril_value_string(text, NULL));
    fibril_value_free(text);
  }
  return fibril_number(letters);
}
/* end */

LOOP_TEST(reference_values_of_a_long_loop) {
  int times = 3;
  CHECK_INT(fibril_value_number(run(loop, count_letters, &times)), 36);
}

/* ---- Coroutines ---- */

static fibril_value square(void *arg) {
  double number = *(double *)arg;
  int err = fibril_sleep(1);
  return err == 0 ? fibril_number(number * number) : fibril_error(err, NULL);
}

/* example: fibril_await_all */
/* Both at the same time. What they get lives here until they have ended. */
static fibril_value sum_of_squares(void *arg) {
  double *sides = arg, sum = 0;
  fibril_future *squares[2];
  for (int i = 0; i < 2; i++) {
    squares[i] = fibril_spawn(square, &sides[i], NULL);
    fibril_defer(unref_future, squares[i]);
  }
  fibril_value failed = fibril_await_all(squares, 2);
  if (fibril_is_error(failed)) return failed;
  for (int i = 0; i < 2; i++) sum += fibril_value_number(fibril_future_result(squares[i]));
  return fibril_number(sum);
}
/* end */

LOOP_TEST(reference_await_all) {
  double sides[] = {3, 4};
  CHECK_INT(fibril_value_number(run(loop, sum_of_squares, sides)), 25);
}

static fibril_value answer_after(void *arg) {
  double ms = *(double *)arg;
  int err = fibril_sleep(ms);
  return err == 0 ? fibril_number(ms) : fibril_error(err, NULL);
}

/* example: fibril_await_any */
/* The one that answers first; the others are told to stop. */
static fibril_value fastest(void *arg) {
  double *delays = arg;
  fibril_future *answers[3];
  for (int i = 0; i < 3; i++) {
    answers[i] = fibril_spawn(answer_after, &delays[i], NULL);
    fibril_defer(unref_future, answers[i]);
  }
  int first = fibril_await_any(answers, 3);
  if (first < 0) return fibril_error(first, NULL);
  for (int i = 0; i < 3; i++)
    if (i != first) fibril_cancel(answers[i]);
  return fibril_await(answers[first]);
}
/* end */

LOOP_TEST(reference_await_any) {
  double delays[] = {1e9, 1, 1e9};
  CHECK_INT(fibril_value_number(run(loop, fastest, delays)), 1);
}

/* example: fibril_await_timeout */
/* Gives up after a while, and sees to it that nothing goes on. */
static fibril_value answer_in_time(void *arg) {
  fibril_future *answer = fibril_spawn(answer_after, arg, NULL);
  fibril_value value = fibril_await_timeout(answer, 5);
  if (fibril_error_code(value) == UV_ETIMEDOUT) fibril_cancel(answer);
  fibril_defer(unref_future, answer);
  return value;
}
/* end */

LOOP_TEST(reference_await_timeout) {
  double delay = 1e9;
  fibril_value result = run(loop, answer_in_time, &delay);
  CHECK_INT(fibril_error_code(result), UV_ETIMEDOUT);
  fibril_value_free(result);
}

/* ---- Masks, deadlines, groups ---- */

typedef struct {
  int said;
} peer;

static int say_goodbye(peer *to) {
  int err = fibril_sleep(1);
  if (err == 0) to->said++;
  return err;
}

/* example: fibril_mask */
/* However this coroutine is ended, the peer hears of it. */
static fibril_value talk(void *arg) {
  int err = fibril_sleep(1e9);
  fibril_mask();
  say_goodbye(arg); /* waits, though the coroutine is cancelled */
  fibril_unmask();
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}
/* end */

LOOP_TEST(reference_masks) {
  peer other = {0};
  fibril_future *talking = fibril_loop_spawn(loop, talk, &other, NULL);
  CHECK_INT(fibril_cancel(talking), 0);
  while (!fibril_future_done(talking)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(fibril_error_code(fibril_future_result(talking)), UV_ECANCELED);
  CHECK_INT(other.said, 1);
  fibril_future_unref(talking);
}

static int connect_slowly(void) {
  return fibril_sleep(1e9);
}

/* example: fibril_deadline_push */
/* All of it together has five milliseconds. */
static fibril_value connect_and_greet(void *arg) {
  (void)arg;
  int err = fibril_deadline_push(5);
  if (err != 0) return fibril_error(err, NULL);
  err = connect_slowly();
  if (err == 0) err = fibril_sleep(1);
  fibril_deadline_pop();
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}
/* end */

LOOP_TEST(reference_deadlines) {
  fibril_value result = run(loop, connect_and_greet, NULL);
  CHECK_INT(fibril_error_code(result), UV_ETIMEDOUT);
  fibril_value_free(result);
}

/* example: fibril_group_wait */
/* Children that use what is here: none of them is left when this returns. */
static fibril_value square_all(void *arg) {
  double *numbers = arg;
  fibril_group *group = fibril_group_new();
  if (group == NULL) return fibril_error(UV_ENOMEM, NULL);
  for (int i = 0; i < 3; i++) {
    int err = fibril_group_spawn(group, square, &numbers[i], NULL);
    if (err == 0) continue;
    fibril_group_cancel(group);
    fibril_group_wait(group); /* before each return */
    return fibril_error(err, NULL);
  }
  return fibril_group_wait(group); /* or the first one's error, and then the others are cancelled */
}
/* end */

LOOP_TEST(reference_groups) {
  double numbers[] = {1, 2, 3};
  CHECK_INT(fibril_value_kind(run(loop, square_all, numbers)), FIBRIL_UNDEFINED);
}

/* ---- Synchronisation ---- */

/* example: fibril_cond_wait */
typedef struct {
  fibril_mutex mutex;
  fibril_cond changed;
  int stock;
} store;

static int take_two(store *from) {
  int err = fibril_mutex_lock(&from->mutex);
  if (err != 0) return err;
  while (err == 0 && from->stock < 2) err = fibril_cond_wait(&from->changed, &from->mutex, -1);
  if (err == 0) from->stock -= 2;
  fibril_mutex_unlock(&from->mutex); /* it is ours however the wait ended */
  return err;
}
/* end */

static fibril_value take_two_of(void *arg) {
  return fibril_number(take_two(arg));
}

LOOP_TEST(reference_conditions) {
  store one = {.stock = 1};
  fibril_future *taken = fibril_loop_spawn(loop, take_two_of, &one, NULL);
  CHECK(!fibril_future_done(taken));
  one.stock++;
  fibril_cond_signal(&one.changed);
  while (!fibril_future_done(taken)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(fibril_value_number(fibril_future_result(taken)), 0);
  CHECK_INT(one.stock, 0);
  fibril_future_unref(taken);
}

/* example: fibril_channel_receive */
/* Sends three numbers, never more than the channel holds ahead of who receives them. */
static fibril_value produce(void *arg) {
  int err = 0;
  for (int i = 1; i <= 3 && err == 0; i++) err = fibril_channel_send(arg, fibril_number(i), -1);
  fibril_channel_close(arg);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

static fibril_value consume(void *arg) {
  fibril_value value;
  double sum = 0;
  int err;
  while ((err = fibril_channel_receive(arg, &value, -1)) == 0) {
    sum += fibril_value_number(value);
    fibril_value_free(value); /* a received value is owned */
  }
  return err == UV_EOF ? fibril_number(sum) : fibril_error(err, NULL);
}
/* end */

LOOP_TEST(reference_channels) {
  fibril_channel *channel = fibril_channel_new(1);
  fibril_future_unref(fibril_loop_spawn(loop, produce, channel, NULL));
  CHECK_INT(fibril_value_number(run(loop, consume, channel)), 6);
  fibril_channel_free(channel);
}

/* ---- Bare coroutines, generators ---- */

/* example: fibril_coroutine_ready */
typedef struct {
  fibril_coroutine *waiting;
  int answer;
} request;

/* A library calls this when the answer is there. */
static void on_answer(request *asked, int answer) {
  asked->answer = answer;
  fibril_coroutine_ready(asked->waiting);
}

static fibril_value ask(void *arg) {
  request *asked = arg;
  asked->waiting = fibril_coroutine_self();
  int err = fibril_suspend();
  return err == 0 ? fibril_number(asked->answer) : fibril_error(err, NULL);
}
/* end */

LOOP_TEST(reference_suspend) {
  request asked = {NULL, 0};
  fibril_future *future = fibril_loop_spawn(loop, ask, &asked, NULL);
  on_answer(&asked, 42);
  fibril_loop_run_ready(loop, 1);
  CHECK_INT(fibril_value_number(fibril_future_result(future)), 42);
  fibril_future_unref(future);
}

/* example: fibril_generator_next */
static fibril_value count_up(fibril_generator *generator, void *arg) {
  for (int i = 1; i <= *(int *)arg; i++) {
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent; /* it is closed */
  }
  return fibril_undefined();
}

static double sum_up_to(fibril_loop *loop, int last) {
  fibril_value value;
  double sum = 0;
  fibril_generator *numbers = fibril_generator_new(loop, count_up, &last, NULL);
  if (numbers == NULL) return -1;
  while (fibril_generator_next(numbers, &value) == FIBRIL_YIELDED)
    sum += fibril_value_number(value);
  fibril_generator_unref(numbers);
  return sum;
}
/* end */

LOOP_TEST(reference_generators) {
  CHECK_INT(sum_up_to(loop, 4), 10);
}
