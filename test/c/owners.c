/* A value in each hand: the coroutine's own, another's, a future's, a group's ... */
#include "owners.h"

#include <stdlib.h>
#include <string.h>

#define PAYLOAD "payload"
#define NUMBER 7

int live_payloads;

static void release(void *data) {
  free(data);
  live_payloads--;
}

fibril_value make_payload(void) {
  char *data = malloc(sizeof PAYLOAD);
  memcpy(data, PAYLOAD, sizeof PAYLOAD);
  live_payloads++;
  return fibril_buffer_take(data, sizeof PAYLOAD, release);
}

bool is_whole(fibril_value value) {
  size_t length = 0;
  if (fibril_value_number(value) == NUMBER || fibril_error_code(value) == UV_EIO) return true;
  if (fibril_error_code(value) == UV_EACCES) value = fibril_error_get(value, "payload");
  const void *data = fibril_value_buffer(value, &length);
  return data != NULL && length == sizeof PAYLOAD && memcmp(data, PAYLOAD, length) == 0;
}

/* ---- The owners ---- */

static fibril_value own(owner_scene *scene) {
  (void)scene;
  return make_payload();
}

static fibril_value lend(void *arg) {
  owner_scene *scene = arg;
  scene->lent = make_payload();
  fibril_event_wait(&scene->over, -1);
  return fibril_undefined();
}

static fibril_value of_another(owner_scene *scene) {
  fibril_future_unref(fibril_spawn(lend, scene, NULL));
  return scene->lent;
}

static fibril_value return_payload(void *arg) {
  (void)arg;
  fibril_moment();
  return make_payload();
}

static fibril_value of_a_coroutine_that_ended(owner_scene *scene) {
  scene->future = fibril_spawn(return_payload, NULL, NULL);
  return fibril_await(scene->future);
}

static fibril_value of_a_future(owner_scene *scene) {
  scene->future = fibril_future_new(scene->loop);
  fibril_future_set_result(scene->future, make_payload());
  return fibril_future_result(scene->future);
}

static fibril_value fail(void *arg) {
  (void)arg;
  fibril_value error = fibril_error(UV_EACCES, "with a payload");
  fibril_error_set(error, "payload", make_payload());
  return error;
}

static fibril_value of_a_group(owner_scene *scene) {
  (void)scene;
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, fail, NULL, NULL);
  return fibril_group_wait(group);
}

static fibril_value of_a_channel(owner_scene *scene) {
  fibril_value value = fibril_undefined();
  scene->channel = fibril_channel_new(1);
  fibril_channel_trysend(scene->channel, make_payload());
  fibril_channel_tryreceive(scene->channel, &value);
  return value;
}

static fibril_value yield_payload(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_yield(generator, make_payload());
  return fibril_undefined();
}

static fibril_value of_a_generator(owner_scene *scene) {
  fibril_value value;
  scene->generator = fibril_generator_new(scene->loop, yield_payload, NULL, NULL);
  fibril_generator_next(scene->generator, &value);
  return value;
}

static fibril_value of_a_container(owner_scene *scene) {
  fibril_value inner = fibril_object();
  scene->kept = fibril_value_take(fibril_array(1));
  fibril_object_set(inner, "payload", make_payload());
  fibril_array_push(scene->kept, inner);
  return fibril_object_get(fibril_array_get(scene->kept, 0), "payload");
}

static fibril_value duplicated(owner_scene *scene) {
  scene->kept = fibril_value_take(make_payload());
  return fibril_value_dup(scene->kept);
}

static fibril_value taken(owner_scene *scene) {
  (void)scene;
  return fibril_value_take(make_payload());
}

static fibril_value number(owner_scene *scene) {
  (void)scene;
  return fibril_number(NUMBER);
}

static fibril_value code(owner_scene *scene) {
  (void)scene;
  return fibril_error(UV_EIO, NULL);
}

const value_owner value_owners[] = {
    {"its own", own},
    {"another coroutine's", of_another},
    {"a coroutine's that has ended", of_a_coroutine_that_ended},
    {"a future's", of_a_future},
    {"a group's", of_a_group},
    {"a channel's", of_a_channel},
    {"a generator's", of_a_generator},
    {"a container's", of_a_container},
    {"duplicated", duplicated},
    {"taken", taken},
    {"a number", number},
    {"a code", code},
};
const size_t value_owner_count = sizeof value_owners / sizeof value_owners[0];

bool is_whole_at_owner(const owner_scene *scene) {
  if (fibril_value_kind(scene->lent) != FIBRIL_UNDEFINED && !is_whole(scene->lent)) return false;
  if (scene->future != NULL && !is_whole(fibril_future_result(scene->future))) return false;
  fibril_value kept = scene->kept;
  if (fibril_value_kind(kept) == FIBRIL_ARRAY)
    kept = fibril_object_get(fibril_array_get(kept, 0), "payload");
  return fibril_value_kind(kept) == FIBRIL_UNDEFINED || is_whole(kept);
}

void drop_owners(void *arg) {
  owner_scene *scene = arg;
  fibril_event_set(&scene->over);
  if (scene->future != NULL) fibril_future_unref(scene->future);
  if (scene->generator != NULL) fibril_generator_unref(scene->generator);
  if (scene->channel != NULL) fibril_channel_free(scene->channel);
  fibril_value_free(scene->kept);
}
