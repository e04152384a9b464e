/* Names of hosts. Coroutines of a loop that ask for the same host and family at the same time wait
 * for one query: port and protocol don't matter to it. */
#include "dns.h"

#include "../../core/loop/loop.h"
#include "../../core/value/list.h"
#include "idna.h"
#include "query.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lookups under way ---- */

#define BUCKETS 256

typedef struct lookup lookup;
struct lookup {
  fibril__query query;
  lookup *next, **link; /* in its bucket, while others may join */
  fibril__addresses *found;
  int family;
  char host[];
};

typedef struct {
  fibril__attachment attachment;
  lookup *buckets[BUCKETS];
} lookups;

/* By whose address a loop knows them. */
static const char lookups_key;

static lookup *lookup_of(const fibril__query *query) {
  return FIBRIL__CONTAINER(lookup, query, query);
}

static void describe_lookup(const fibril__wait *wait, fibril__wait_report *report) {
  const char *host = lookup_of(fibril__query_of(wait))->host;
  snprintf(report->address, sizeof report->address, "%s", host);
}

static const fibril__wait_kind lookup_kind = {.name = "lookup", .describe = describe_lookup};

static lookups *lookups_of(fibril_loop *loop) {
  lookups *all = (lookups *)fibril__loop_attached(loop, &lookups_key);
  if (all != NULL) return all;
  all = calloc(1, sizeof *all);
  if (all != NULL) fibril__loop_attach(loop, &lookups_key, &all->attachment);
  return all;
}

static lookup **bucket_of(lookups *all, const char *host) {
  uint32_t hash = 2166136261U;
  for (; *host != '\0'; host++) hash = (hash ^ (unsigned char)*host) * 16777619U;
  return &all->buckets[hash % BUCKETS];
}

static void run_lookup(fibril__job *job) {
  fibril__query *query = FIBRIL__CONTAINER(fibril__query, job, job);
  lookup *self = lookup_of(query);
  query->status = fibril__resolve_host(self->host, self->family, &self->found);
}

static void end_lookup(fibril__query *query) {
  FIBRIL__CHAIN_REMOVE(lookup_of(query));
}

static void free_lookup(fibril__query *query) {
  free(lookup_of(query)->found);
  free(lookup_of(query));
}

/* With a reference for the caller. */
static lookup *find_lookup(lookups *all, const char *host, int family) {
  lookup *one = *bucket_of(all, host);
  while (one != NULL && (one->family != family || strcmp(one->host, host) != 0)) one = one->next;
  if (one != NULL) fibril__query_ref(&one->query);
  return one;
}

static lookup *new_lookup(fibril_loop *loop, lookups *all, const char *host, int family) {
  size_t length = strlen(host);
  lookup *self = calloc(1, sizeof *self + length + 1);
  if (self == NULL) return NULL;
  fibril__query_init(&self->query, loop, run_lookup, free_lookup);
  self->query.over = end_lookup;
  self->family = family;
  memcpy(self->host, host, length);
  FIBRIL__CHAIN_ADD(bucket_of(all, host), self);
  return self;
}

/* Waits for what is found, with a reference for the caller. */
static int look_up(const char *host, int family, lookup **out) {
  char name[FIBRIL__HOST_LENGTH + 1];
  int err = fibril__host_to_ascii(host, name);
  if (err == 0) err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  fibril_loop *loop = fibril__self()->loop;
  lookups *all = lookups_of(loop);
  lookup *self = all == NULL ? NULL : find_lookup(all, name, family);
  if (self == NULL && all != NULL) self = new_lookup(loop, all, name, family);
  if (self == NULL) return UV_ENOMEM;
  *out = self;
  err = fibril__query_wait(&self->query, &lookup_kind);
  if (err != 0) fibril__query_unref(&self->query);
  return err;
}

static int family_error(int family) {
  return family == AF_UNSPEC || family == AF_INET || family == AF_INET6 ? 0 : UV_EINVAL;
}

/* As fibril__address_parse. */
static int parse(const char *host, int port, int family, struct sockaddr_storage *address) {
  int err = fibril__address_parse(host, port, address);
  if (err != 0 || family == AF_UNSPEC || family == address->ss_family) return err;
  return UV_EAI_ADDRFAMILY;
}

/* ---- For others ---- */

static fibril__addresses *copy_of(const fibril__addresses *found, int port) {
  size_t size = sizeof *found + (size_t)found->count * sizeof *found->list;
  fibril__addresses *copy = malloc(size);
  if (copy == NULL) return NULL;
  memcpy(copy, found, size);
  for (int i = 0; i < copy->count; i++)
    fibril__address_set_port((struct sockaddr *)&copy->list[i], port);
  return copy;
}

static int find_by_name(const char *host, int port, int family, fibril__addresses **out) {
  lookup *self;
  int err = look_up(host, family, &self);
  if (err != 0) return err;
  *out = copy_of(self->found, port);
  fibril__query_unref(&self->query);
  return *out == NULL ? UV_ENOMEM : 0;
}

int fibril__dns_find(const char *host, int port, int family, fibril__addresses **out) {
  struct sockaddr_storage address;
  int err = family_error(family);
  if (err == 0) err = parse(host, port, family, &address);
  if (err == UV_EAI_NONAME) return find_by_name(host, port, family, out);
  if (err != 0) return err;
  fibril__addresses *one = malloc(sizeof *one + sizeof *one->list);
  if (one == NULL) return UV_ENOMEM;
  one->count = 1;
  one->list[0] = address;
  *out = one;
  return 0;
}

static void tell(const struct sockaddr_storage *found, int port, fibril_address_cb each,
                 void *arg) {
  struct sockaddr_storage address = *found;
  fibril__address_set_port((struct sockaddr *)&address, port);
  each((struct sockaddr *)&address, arg);
}

/* The list is the lookup's, which stays as long as anybody looks at it. */
static int tell_all(const char *host, int port, int family, fibril_address_cb each, void *arg) {
  lookup *self;
  int err = look_up(host, family, &self);
  if (err != 0) return err;
  int count = self->found->count;
  for (int i = 0; i < count; i++) tell(&self->found->list[i], port, each, arg);
  fibril__query_unref(&self->query);
  return count;
}

int fibril_dns_lookup(const char *host, int port, int family, fibril_address_cb each, void *arg) {
  struct sockaddr_storage address;
  int err = each == NULL ? UV_EINVAL : family_error(family);
  if (err == 0) err = parse(host, port, family, &address);
  if (err == UV_EAI_NONAME) return tell_all(host, port, family, each, arg);
  if (err == 0) err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  each((struct sockaddr *)&address, arg);
  return 1;
}

/* ---- Names of addresses ---- */

typedef struct {
  fibril__query query;
  struct sockaddr_storage address;
  char host[NI_MAXHOST];
} naming;

static void describe_naming(const fibril__wait *wait, fibril__wait_report *report) {
  const naming *self = FIBRIL__CONTAINER(const naming, query, fibril__query_of(wait));
  fibril__address_format((const struct sockaddr *)&self->address, report->address);
}

static const fibril__wait_kind name_kind = {.name = "name", .describe = describe_naming};

static void run_naming(fibril__job *job) {
  naming *self = FIBRIL__CONTAINER(naming, query.job, job);
  self->query.status = fibril__resolve_address((const struct sockaddr *)&self->address, self->host,
                                               sizeof self->host);
}

static void free_naming(fibril__query *query) {
  free(FIBRIL__CONTAINER(naming, query, query));
}

static naming *new_naming(const struct sockaddr *address) {
  naming *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  fibril__query_init(&self->query, fibril__self()->loop, run_naming, free_naming);
  memcpy(&self->address, address, fibril__address_size(address));
  return self;
}

static int copy_name(const char *name, char *host, size_t length) {
  size_t size = strlen(name) + 1;
  if (size > length) return UV_ENOBUFS;
  memcpy(host, name, size);
  return 0;
}

/* Who has left may not look at it: the thread goes on. */
int fibril_dns_name(const struct sockaddr *address, char *host, size_t length) {
  if (address == NULL || host == NULL || fibril__address_size(address) == 0) return UV_EINVAL;
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  naming *self = new_naming(address);
  if (self == NULL) return UV_ENOMEM;
  err = fibril__query_wait(&self->query, &name_kind);
  if (err == 0) err = copy_name(self->host, host, length);
  fibril__query_unref(&self->query);
  return err;
}
