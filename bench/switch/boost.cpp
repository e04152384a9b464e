/* Boost.Context's jump_fcontext, used as one would in a scheduler of one's own: contexts in an
 * array in the order in which they run, the next stack prefetched, freed stacks kept in a list. */
#include "bench.h"

#include <boost/context/detail/fcontext.hpp>
#include <cstdio>
#include <cstdlib>

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

namespace {

struct stack {
  stack *next;
};

/* What a coroutine is told to do; lives at the top of its stack. */
struct job {
  void *(*fn)(void *arg);
  void *arg;
  void *result;
};

struct state {
  size_t count;
  size_t at;
  fcontext_t *contexts;
  stack **stacks;
  stack *free;
};

void require(bool condition, const char *what) {
  if (condition) return;
  std::fprintf(stderr, "Boost.Context: %s\n", what);
  std::exit(1);
}

void yield(fcontext_t *back) {
  *back = jump_fcontext(*back, nullptr).fctx;
}

DEFINE_DEEP(fcontext_t *, yield)

void yielding(transfer_t transfer) {
  for (;;) transfer = jump_fcontext(transfer.fctx, nullptr);
}

void yielding_deep(transfer_t transfer) {
  fcontext_t back = transfer.fctx;
  for (;;) deep(&back);
}

void numbers(transfer_t transfer) {
  for (;;) {
    double number = 1;
    transfer = jump_fcontext(transfer.fctx, &number);
  }
}

void *empty(void *arg) {
  return arg;
}

void once(transfer_t transfer) {
  job *self = static_cast<job *>(transfer.data);
  self->result = self->fn(self->arg);
  jump_fcontext(transfer.fctx, nullptr);
}

template <void (*entry)(transfer_t)> void *start(const row *row) {
  state *self = static_cast<state *>(std::calloc(1, sizeof *self));
  require(self != nullptr, "no memory");
  self->count = row->count;
  self->contexts = static_cast<fcontext_t *>(std::calloc(row->count, sizeof *self->contexts));
  self->stacks = static_cast<stack **>(std::calloc(row->count, sizeof *self->stacks));
  size_t *order = shuffled(row->count);
  require(self->contexts != nullptr && self->stacks != nullptr && order != nullptr, "no memory");
  for (size_t i = 0; i < row->count; i++) {
    self->stacks[i] = static_cast<stack *>(std::malloc(STACK_SIZE));
    require(self->stacks[i] != nullptr, "no memory");
  }
  for (size_t i = 0; i < row->count; i++) {
    char *top = reinterpret_cast<char *>(self->stacks[order[i]]) + STACK_SIZE;
    self->contexts[i] = jump_fcontext(make_fcontext(top, STACK_SIZE, entry), nullptr).fctx;
  }
  std::free(order);
  return self;
}

void *start_create(const row *) {
  state *self = static_cast<state *>(std::calloc(1, sizeof *self));
  require(self != nullptr, "no memory");
  self->stacks = static_cast<stack **>(std::calloc(1, sizeof *self->stacks));
  require(self->stacks != nullptr, "no memory");
  self->free = self->stacks[0] = static_cast<stack *>(std::calloc(1, STACK_SIZE));
  require(self->free != nullptr, "no memory");
  self->count = 1;
  return self;
}

void run_yield(void *opaque, uint64_t rounds) {
  state *self = static_cast<state *>(opaque);
  if (self->count == 1) {
    fcontext_t context = self->contexts[0];
    for (uint64_t i = 0; i < rounds; i++) context = jump_fcontext(context, nullptr).fctx;
    self->contexts[0] = context;
    return;
  }
  size_t at = self->at;
  for (uint64_t i = 0; i < rounds; i++) {
    size_t next = at + 1 == self->count ? 0 : at + 1;
    __builtin_prefetch(self->contexts[next]);
    self->contexts[at] = jump_fcontext(self->contexts[at], nullptr).fctx;
    at = next;
  }
  self->at = at;
}

void run_create(void *opaque, uint64_t rounds) {
  state *self = static_cast<state *>(opaque);
  for (uint64_t i = 0; i < rounds; i++) {
    stack *mine = self->free;
    self->free = mine->next;
    job *top = reinterpret_cast<job *>(reinterpret_cast<char *>(mine) + STACK_SIZE) - 1;
    top->fn = empty;
    top->arg = nullptr;
    transfer_t back = jump_fcontext(make_fcontext(top, STACK_SIZE - sizeof *top, once), top);
    if (back.data == nullptr) {
      mine->next = self->free;
      self->free = mine;
    }
  }
}

void run_generator(void *opaque, uint64_t rounds) {
  state *self = static_cast<state *>(opaque);
  double sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    transfer_t transfer = jump_fcontext(self->contexts[0], nullptr);
    self->contexts[0] = transfer.fctx;
    sum += *static_cast<double *>(transfer.data);
  }
  require(sum == static_cast<double>(rounds), "a number is missing");
}

void stop(void *opaque) {
  state *self = static_cast<state *>(opaque);
  for (size_t i = 0; i < self->count; i++) std::free(self->stacks[i]);
  std::free(self->stacks);
  std::free(self->contexts);
  std::free(self);
}

} // namespace

const contender boost_contender = {
    "boost",
    {start<yielding>, start<yielding_deep>, start_create, start<numbers>},
    {run_yield, run_yield, run_create, run_generator},
    stop,
};
