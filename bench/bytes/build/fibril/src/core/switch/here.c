#include "here.h"

fibril__seat fibril__seats[1 << FIBRIL__SEATS_SHIFT];
__thread fibril_loop *fibril__seatless;

/* A loop may be made or closed while another one runs: it moves along. */
void fibril__here_attach(void) {
  uintptr_t thread = fibril__thread_pointer(), nobody = 0;
  fibril__seat *seat = fibril__seat_of(thread);
  if (thread == 0) return;
  if (atomic_load(&seat->thread) != thread) {
    if (!atomic_compare_exchange_strong(&seat->thread, &nobody, thread)) return;
    seat->loop = fibril__seatless;
    seat->loops = 0;
  }
  seat->loops++;
}

void fibril__here_detach(void) {
  uintptr_t thread = fibril__thread_pointer();
  fibril__seat *seat = fibril__seat_of(thread);
  if (thread == 0 || atomic_load(&seat->thread) != thread || --seat->loops > 0) return;
  fibril__seatless = seat->loop;
  atomic_store(&seat->thread, 0);
}
