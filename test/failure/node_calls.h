/* calls.h for src/node: the Node-API calls that can fail too, by an exception, a string or buffer
 * that is too long, or an environment that is being torn down. */
#ifndef FIBRIL_TEST_FAILURE_NODE_CALLS_H
#define FIBRIL_TEST_FAILURE_NODE_CALLS_H

#include "calls.h"

#include <node_api.h>

#define FAILURE_NAPI(name, ...)                                              \
  __extension__({                                                            \
    FAILURE_SITE(name, 0);                                                   \
    failure_due(&failure_here) ? napi_generic_failure : (name)(__VA_ARGS__); \
  })

#define napi_add_async_cleanup_hook(...) FAILURE_NAPI(napi_add_async_cleanup_hook, __VA_ARGS__)
#define napi_add_finalizer(...) FAILURE_NAPI(napi_add_finalizer, __VA_ARGS__)
#define napi_async_init(...) FAILURE_NAPI(napi_async_init, __VA_ARGS__)
#define napi_call_function(...) FAILURE_NAPI(napi_call_function, __VA_ARGS__)
#define napi_check_object_type_tag(...) FAILURE_NAPI(napi_check_object_type_tag, __VA_ARGS__)
#define napi_create_array(...) FAILURE_NAPI(napi_create_array, __VA_ARGS__)
#define napi_create_array_with_length(...) FAILURE_NAPI(napi_create_array_with_length, __VA_ARGS__)
#define napi_create_arraybuffer(...) FAILURE_NAPI(napi_create_arraybuffer, __VA_ARGS__)
#define napi_create_buffer_copy(...) FAILURE_NAPI(napi_create_buffer_copy, __VA_ARGS__)
#define napi_create_date(...) FAILURE_NAPI(napi_create_date, __VA_ARGS__)
#define napi_create_buffer(...) FAILURE_NAPI(napi_create_buffer, __VA_ARGS__)
#define napi_create_dataview(...) FAILURE_NAPI(napi_create_dataview, __VA_ARGS__)
#define napi_create_external(...) FAILURE_NAPI(napi_create_external, __VA_ARGS__)
/* As where Node has none: behind another failure the memory may be Node's all the same. */
#define napi_create_external_buffer(...)                                     \
  __extension__({                                                            \
    FAILURE_SITE(napi_create_external_buffer, 0);                            \
    failure_due(&failure_here) ? napi_no_external_buffers_allowed            \
                               : (napi_create_external_buffer)(__VA_ARGS__); \
  })
#define napi_create_function(...) FAILURE_NAPI(napi_create_function, __VA_ARGS__)
#define napi_create_object(...) FAILURE_NAPI(napi_create_object, __VA_ARGS__)
#define napi_create_reference(...) FAILURE_NAPI(napi_create_reference, __VA_ARGS__)
#define napi_create_string_utf8(...) FAILURE_NAPI(napi_create_string_utf8, __VA_ARGS__)
#define napi_create_typedarray(...) FAILURE_NAPI(napi_create_typedarray, __VA_ARGS__)
#define napi_define_properties(...) FAILURE_NAPI(napi_define_properties, __VA_ARGS__)
#define napi_get_element(...) FAILURE_NAPI(napi_get_element, __VA_ARGS__)
#define napi_get_named_property(...) FAILURE_NAPI(napi_get_named_property, __VA_ARGS__)
#define napi_get_property(...) FAILURE_NAPI(napi_get_property, __VA_ARGS__)
#define napi_get_uv_event_loop(...) FAILURE_NAPI(napi_get_uv_event_loop, __VA_ARGS__)
#define napi_escape_handle(...) FAILURE_NAPI(napi_escape_handle, __VA_ARGS__)
#define napi_get_value_string_utf8(...) FAILURE_NAPI(napi_get_value_string_utf8, __VA_ARGS__)
#define napi_has_own_property(...) FAILURE_NAPI(napi_has_own_property, __VA_ARGS__)
#define napi_has_property(...) FAILURE_NAPI(napi_has_property, __VA_ARGS__)
#define napi_object_freeze(...) FAILURE_NAPI(napi_object_freeze, __VA_ARGS__)
#define napi_open_callback_scope(...) FAILURE_NAPI(napi_open_callback_scope, __VA_ARGS__)
#define napi_open_escapable_handle_scope(...) \
  FAILURE_NAPI(napi_open_escapable_handle_scope, __VA_ARGS__)
#define napi_remove_wrap(...) FAILURE_NAPI(napi_remove_wrap, __VA_ARGS__)
#define napi_run_script(...) FAILURE_NAPI(napi_run_script, __VA_ARGS__)
#define napi_set_element(...) FAILURE_NAPI(napi_set_element, __VA_ARGS__)
#define napi_set_named_property(...) FAILURE_NAPI(napi_set_named_property, __VA_ARGS__)
#define napi_throw(...) FAILURE_NAPI(napi_throw, __VA_ARGS__)
#define napi_type_tag_object(...) FAILURE_NAPI(napi_type_tag_object, __VA_ARGS__)
#define napi_wrap(...) FAILURE_NAPI(napi_wrap, __VA_ARGS__)

#endif /* FIBRIL_TEST_FAILURE_NODE_CALLS_H */
