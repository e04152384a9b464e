/* Names and signals. */
#include "net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>

/* ---- Names ---- */

static void on_address(const struct sockaddr *address, void *arg) {
  REQUIRE(address->sa_family == AF_INET || address->sa_family == AF_INET6);
  ++*(int *)arg;
}

static bool is_of_names(int status) {
  return status <= UV_EAI_ADDRFAMILY && status >= UV_EAI_PROTOCOL;
}

int act_lookup(void) {
  static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "slow.test", "no.test"};
  static const int families[] = {0, AF_INET, AF_INET6};
  int told = 0;
  int count =
      fibril_dns_lookup(hosts[fuzz_below(5)], 80, families[fuzz_below(3)], on_address, &told);
  REQUIRE(told == (count < 0 ? 0 : count));
  return is_of_names(count) ? 0 : net_judge(count, false);
}

int act_name(void) {
  char name[100];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int err = fibril_dns_name((struct sockaddr *)&address, name, fuzz_once_in(4) ? 2 : sizeof name);
  return err == UV_ENOBUFS || is_of_names(err) ? 0 : net_judge(err, false);
}

/* ---- Signals, those that do nothing where nobody waits for them ---- */

static void send_signals(int first, int second, int count) {
  for (; count > 0; count--) {
    int number = fuzz_once_in(2) ? first : second;
    net.raised[number]++;
    raise(number);
  }
}

static int count_raised(const int both[2]) {
  return net.raised[both[0]] + (both[0] == both[1] ? 0 : net.raised[both[1]]);
}

/* Those of its own and of others: at least its own, if nobody ends it, and behind a mask nobody
 * does. */
int act_signal(void) {
  static const int numbers[] = {SIGURG, SIGWINCH, SIGCHLD};
  int both[2] = {numbers[fuzz_below(3)], numbers[fuzz_below(3)]};
  fibril_signal *handle;
  int err = fibril_signal_open(both, 2, &handle);
  if (err != 0) return net_judge(err, false);
  if (fuzz_once_in(4)) fibril_signal_unhold(handle);
  int before = count_raised(both);
  int sent = fuzz_below(5), got = 0;
  bool masked = fuzz_once_in(2) && fibril_mask() == 0;
  send_signals(both[0], both[1], sent);
  while (got < sent && (err = fibril_signal_wait(handle)) > 0) {
    REQUIRE(err == both[0] || err == both[1]);
    got++;
  }
  REQUIRE(got <= count_raised(both) - before);
  if (masked) fibril_unmask();
  if (!fuzz_once_in(4)) fibril_signal_close(handle);
  return got == sent ? 0 : net_judge(err, false);
}
