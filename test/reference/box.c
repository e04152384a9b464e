/* shown at fibril_value_dup: docs/c-api.md */

#include <fibril.h>

typedef struct {
  fibril_value last;
} box;

static fibril_value box_set(fibril_args *args) {
  box *self = fibril_this(args);
  fibril_value_free(self->last);
  self->last = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value box_last(fibril_args *args) {
  return fibril_value_dup(
      ((box *)fibril_this(args))->last); /* not the one that is kept: that would be handed over */
}

static void box_release(void *state) {
  fibril_value_free(((box *)state)->last);
}

FIBRIL_MODULE(m) {
  fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(box), .release = box_release};
  fibril_class *boxes = fibril_export_class(m, "Box", &options);
  fibril_class_method(boxes, "set(value: string[]): Promise<void>", box_set, NULL);
  fibril_class_getter(boxes, "last: string[]", box_last);
}
