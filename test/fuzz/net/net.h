/* The network in a game: streams of every kind whose bytes a plain model knows, servers, datagrams,
 * names and signals. Whatever a coroutine does here, whenever it is cancelled or late and whoever
 * closes what: what is read is what was sent, in order, nothing twice, and nothing is missing at an
 * end that is no break. */
#ifndef FIBRIL_TEST_FUZZ_NET_H
#define FIBRIL_TEST_FUZZ_NET_H

#include "../../../src/io/net/buffer.h"
#include "../../../src/io/net/stream.h"
#include "../fuzz.h"

#include <fibril.h>

enum { WIRES = 6, UDPS = 3, DATAGRAMS = 4096 };

/* One of the two ends of a wire, and what the model knows of the bytes that are written there. */
typedef struct end {
  struct wire *wire;
  fibril_stream *stream; /* with a reference */
  bool buffered;         /* it is read by the reader and written by the writer */
  fibril_reader reader;
  fibril_writer writer;
  int reads;                             /* who is in one */
  bool writing;                          /* somebody is */
  bool shutting;                         /* somebody ends the write side */
  bool shut, broken, aborted;            /* that write side */
  bool saw_end;                          /* of the peer's bytes */
  uint64_t sent, offered, flushed, read; /* bytes: taken, at most so many, not kept back, come */
  bool untold;                           /* nobody knows which of them have been read */
} end;

typedef struct wire {
  end ends[2];
  uint64_t seed;
  int density; /* one byte in so many is a line's end */
  size_t limit;
  int users;
  bool tcp;   /* what is on the way goes with who closes */
  bool exact; /* fibril_stream_written counts what is on the way */
  bool rough; /* something in between has failed */
} wire;

typedef struct {
  fibril_loop *loop;
  wire *wires[WIRES];
  fibril_listener *listeners[2];
  int ports[2];
  bool serving[2];
  fibril_udp *udps[UDPS];
  uint32_t datagrams; /* that were sent */
  bool received[DATAGRAMS];
  int raised[65];
  int names; /* of sockets, so far */
} net_state;

extern net_state net;

/* Begins with a loop, and ends after it. */
void net_begin(fibril_loop *loop);
void net_end(void);

/* The running coroutine does something at random: 0, or the status of a wait that ended early
 * because of who waits (or it could not wait at all). */
int net_act(void);

/* What a call has given. Those of a wait are judged by who called; others end the game unless
 * `allowed` is one of them. `closed`: who waited may have been told so. */
int net_judge(int64_t status, bool closed);
bool net_closing(void);
/* Memory that never fails. */
void *net_memory(size_t size);

/* wires.c: bytes, and where they come and go. */
wire *wire_get(void);
void wire_put(wire *one);
wire *wire_new(void);
int wire_make(fibril_stream *streams[2], wire *one); /* make.c */
static inline end *peer_of(end *self) {
  return &self->wire->ends[self == &self->wire->ends[0]];
}
char byte_at(const end *sender, uint64_t at);
void fill_bytes(const end *sender, uint64_t at, char *data, size_t length);
/* Of what has come from `sender` next: that it is this; and that so much of it is gone. */
void check_bytes(const end *sender, const char *data, size_t length);
void take_bytes(end *sender, size_t length);
/* That the end of what `sender` writes may be here; whether none of it is missing then. */
bool check_end(end *sender);
/* Whether it is a stream's failure, which then has to have a reason. */
bool check_failure(const end *self, int64_t status, bool writing);
size_t any_length(void);
void check_written(end *sender);

typedef int act(void);
act act_wire, act_read, act_write, act_shutdown, act_close, act_hold, act_release,
    act_finish;                       /* bytes.c */
act act_serve, act_client;            /* servers.c */
act act_udp, act_send, act_receive;   /* datagrams.c */
act act_lookup, act_name, act_signal; /* others.c */

/* buffered.c */
int buffered_read(end *self);
int buffered_write(end *self, size_t length);

#endif /* FIBRIL_TEST_FUZZ_NET_H */
