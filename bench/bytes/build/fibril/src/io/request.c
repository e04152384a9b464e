#include "request.h"

#include "../core/scheduler/scope.h"

void fibril__request_end(fibril__request *request, int status) {
  if (request->wait.woken) return;
  if (!request->unheld) fibril__loop_release(request->waiter->loop);
  fibril__wake(&request->wait, status);
}

int fibril__request_look_again(fibril__request *request) {
  fibril_coroutine *self = request->waiter;
  if (!request->wait.woken && fibril__hindrance(self) != 0) {
    fibril__request_cancel(&request->wait);
    if (request->wait.woken) return fibril__wait_ended_early(self);
  }
  return fibril__wait_until_woken(self, &request->wait);
}

void fibril__request_cancel(fibril__wait *wait) {
  fibril__request *request = FIBRIL__CONTAINER(fibril__request, wait, wait);
  if (request->asked || request->stop == NULL) return;
  request->asked = true;
  if (request->stop(request)) fibril__request_end(request, UV_ECANCELED);
}
