/* Exporting: what has a signature is parsed, kept, and put on a module's exports. */
#include "export.h"

#include "../signatures/declared.h"
#include "../signatures/known.h"
#include "../values/to_js.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What tools ask for ---- */

static const char *const form_names[] = {
    [FIBRIL__FORM_FUNCTION] = "function",
    [FIBRIL__FORM_CLASS] = "class",
    [FIBRIL__FORM_CONSTRUCTOR] = "constructor",
    [FIBRIL__FORM_GETTER] = "getter",
    [FIBRIL__FORM_GENERATOR] = "generator",
    [FIBRIL__FORM_ASYNC_GENERATOR] = "asyncGenerator",
    [FIBRIL__FORM_CONSTANT] = "constant",
    [FIBRIL__FORM_STATIC] = "static",
    [FIBRIL__FORM_SETTER] = "setter",
    [FIBRIL__FORM_ENUM] = "enum",
    [FIBRIL__FORM_ALIAS] = "alias",
    [FIBRIL__FORM_NAMESPACE] = "namespace",
    [FIBRIL__FORM_DEFAULT] = "default",
    [FIBRIL__FORM_ERROR] = "error",
};

/* [form, class or undefined, signature, namespace or undefined] */
static bool describe_export(fibril__env *self, const fibril__export *entry, napi_value *out) {
  const char *const texts[] = {
      form_names[entry->form],
      entry->owner == NULL ? NULL : entry->owner->name,
      entry->signature.source,
      entry->space,
  };
  if (napi_create_array(self->env, out) != napi_ok) return false;
  for (uint32_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    napi_value item;
    napi_status status =
        texts[i] == NULL ? napi_get_undefined(self->env, &item)
                         : napi_create_string_utf8(self->env, texts[i], NAPI_AUTO_LENGTH, &item);
    if (status != napi_ok || napi_set_element(self->env, *out, i, item) != napi_ok) return false;
  }
  return true;
}

/* signatures(): those of everything that was exported, the first one first. */
static napi_value native_signatures(napi_env env, napi_callback_info info) {
  void *data;
  napi_value list, item;
  uint32_t count = 0;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting) return NULL;
  const fibril__export *newest = fibril__exports_of(self)->newest;
  for (const fibril__export *entry = newest; entry != NULL; entry = entry->next) count++;
  bool made = napi_create_array_with_length(env, count, &list) == napi_ok;
  for (const fibril__export *entry = newest; entry != NULL && made; entry = entry->next)
    made = describe_export(self, entry, &item) &&
           napi_set_element(env, list, --count, item) == napi_ok;
  if (made) return list;
  fibril__throw_failure(env);
  return NULL;
}

bool fibril__exports_native(fibril__env *self, napi_value native) {
  napi_property_descriptor signatures = {"signatures", NULL, native_signatures, NULL,
                                         NULL,         NULL, napi_default,      self};
  return napi_define_properties(self->env, native, 1, &signatures) == napi_ok;
}

/* ---- Exporting ---- */

static void export_free(fibril__export *entry) {
  if (entry == NULL) return;
  fibril__signature_free(&entry->signature);
  free(entry->name);
  free(entry->path);
  free(entry);
}

void fibril__exports_free(fibril__env *self) {
  fibril__exports *exports = fibril__exports_of(self);
  while (exports->newest != NULL) {
    fibril__export *entry = exports->newest;
    exports->newest = entry->next;
    export_free(entry);
  }
}

bool fibril__export_args(fibril__export *entry, napi_callback callback,
                         napi_value args[FIBRIL__EXPORT_ARGS]) {
  napi_env env = entry->env->env;
  const fibril__parameter *key;
  const fibril__signature *signature = &entry->signature;
  int signal = fibril__signature_signal(signature, &key);
  uint32_t required = 0;
  uint32_t fixed = signature->count - signature->rest;
  while (required < fixed && !signature->parameters[required].optional) required++;
  return napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, callback, entry, &args[0]) ==
             napi_ok &&
         napi_create_string_utf8(env, signature->text, signature->name_length, &args[1]) ==
             napi_ok &&
         napi_create_uint32(env, required, &args[2]) == napi_ok &&
         napi_create_int32(env, signature->rest ? ~(int32_t)fixed : (int32_t)fixed, &args[3]) ==
             napi_ok &&
         napi_create_int32(env, signal, &args[4]) == napi_ok &&
         napi_create_string_utf8(env, key == NULL ? "" : key->name,
                                 key == NULL ? 0 : key->name_length, &args[5]) == napi_ok;
}

/* ---- A load that fails ---- */

static int fail_with(fibril_module *module, int code, fibril_value message) {
  bool pending = false;
  napi_is_exception_pending(module->env->env, &pending);
  if (!pending)
    napi_throw_error(module->env->env, "ERR_FIBRIL_SIGNATURE", fibril_error_message(message));
  fibril_value_free(message);
  module->root->failure = code;
  return code;
}

int fibril__load_expected(fibril_module *module, const char *what, const char *signature,
                          const char *expected, size_t position) {
  return fail_with(module, UV_EINVAL,
                   fibril_error(UV_EINVAL, "%s: \"%s\": expected %s at position %zu", what,
                                signature, expected, position));
}

int fibril__load_failed(fibril_module *module, const char *what, const char *signature, int code) {
  return fail_with(module, code,
                   fibril_error(code, "%s: \"%s\": %s", what, signature, fibril_strerror(code)));
}

int fibril__load_failed_by(fibril_module *module, const fibril__export_spec *spec,
                           fibril_value error) {
  int code = fibril_error_code(error) == UV_ENOMEM ? UV_ENOMEM : UV_EINVAL;
  return fail_with(module, code,
                   fibril_error(code, "%s: \"%s\": %s", spec->what, spec->signature,
                                fibril_error_message(error)));
}

int fibril__load_threw(fibril_module *module) {
  fibril__throw_failure(module->env->env);
  module->root->failure = UV_ENOMEM;
  return UV_ENOMEM;
}

/* ---- Making one ---- */

/* The signature's name behind that of what it is in, which may be NULL. */
static char *name_in(const char *outer, const fibril__signature *signature) {
  const char *of = outer == NULL ? "" : outer;
  size_t length = strlen(of), room = length + 1 + signature->name_length + 1;
  char *name = malloc(room);
  if (name == NULL) return NULL;
  bool both = length > 0 && signature->name_length > 0;
  snprintf(name, room, "%s%s%.*s", of, both ? "." : "", (int)signature->name_length,
           signature->text);
  return name;
}

/* What of it can fail; *expected and *position say what is wrong with the signature. */
static int fill_in(fibril__export *entry, const fibril_module *module,
                   const fibril__export_spec *spec, const char **expected, size_t *position) {
  const fibril_export_options *options = spec->options;
  const fibril__surroundings where = {
      .declared = fibril__exports_of(module->env)->declared,
      .space = module->space,
      .is_member = spec->owner != NULL,
  };
  int err = options != NULL && options->size != sizeof *options ? UV_EINVAL : 0;
  if (err != 0) return err;
  err = fibril__signature_parse(spec->signature, spec->form, &where, &entry->signature, expected,
                                position);
  if (err != 0) return err;
  entry->stack_class = options == NULL || options->stack_size == 0
                           ? FIBRIL__STACK_DEFAULT_CLASS
                           : fibril__stack_class(options->stack_size);
  if (entry->stack_class < 0) return entry->stack_class;
  entry->copy_at_once = options != NULL && options->copy_at_once;
  const char *owner = spec->owner == NULL ? NULL : spec->owner->name;
  entry->name =
      name_in(spec->form == FIBRIL__FORM_NAMESPACE ? module->space : owner, &entry->signature);
  return entry->name == NULL ? UV_ENOMEM : 0;
}

fibril__export *fibril__export_new(fibril_module *module, const fibril__export_spec *spec,
                                   size_t size) {
  const char *expected = NULL;
  size_t position = 0;
  if (fibril__module_failure(module) != 0) return NULL;
  fibril__export *entry = calloc(1, size);
  int err = entry == NULL ? UV_ENOMEM : fill_in(entry, module, spec, &expected, &position);
  if (err != 0) {
    export_free(entry);
    if (expected == NULL)
      fibril__load_failed(module, spec->what, spec->signature, err);
    else
      fibril__load_expected(module, spec->what, spec->signature, expected, position);
    return NULL;
  }
  fibril__exports *exports = fibril__exports_of(module->env);
  entry->env = module->env;
  entry->owner = spec->owner;
  entry->form = spec->form;
  entry->fn = spec->fn;
  entry->space = module->space;
  entry->value_count = entry->signature.count + entry->signature.property_count;
  entry->light = entry->signature.plain && spec->owner == NULL && spec->form != FIBRIL__FORM_CLASS;
  entry->next = exports->newest;
  exports->newest = entry;
  return entry;
}

/* Whether a signature of its namespace, or of one in that, has the name already, and means the type
 * of an outer one by it. */
static bool has_meaning(const fibril__exports *exports, const fibril__export *entry) {
  const fibril__signature *names = &entry->signature;
  const fibril__scan scan = {.declared = exports->declared, .space = entry->space};
  if (entry->space == NULL || fibril__declared_find(&scan, names->text, names->name_length) == NULL)
    return false;
  size_t length = strlen(entry->space);
  for (const fibril__export *each = exports->newest; each != NULL; each = each->next) {
    bool is_inside = each != entry && each->space != NULL &&
                     strncmp(each->space, entry->space, length) == 0 &&
                     (each->space[length] == '\0' || each->space[length] == '.');
    if (is_inside && fibril__scan_has_word(each->signature.source, names->text, names->name_length))
      return true;
  }
  return false;
}

const char *fibril__export_unfit(const fibril__export *entry) {
  const fibril__signature *names = &entry->signature;
  if (fibril__type_is_word(names->text, names->name_length) ||
      has_meaning(fibril__exports_of(entry->env), entry))
    return "a name that means no other type";
  return NULL;
}

bool fibril__export_declare(fibril__export *entry, fibril__declared *declared) {
  fibril__exports *exports = fibril__exports_of(entry->env);
  entry->path = name_in(entry->space, &entry->signature);
  if (entry->path == NULL) return false;
  declared->name = entry->path;
  declared->next = exports->declared;
  exports->declared = declared;
  return true;
}

/* ---- On the exports ---- */

/* A symbol's name stands for the symbol. */
static napi_value key_of(const fibril__export *entry) {
  napi_value key;
  if (napi_create_string_utf8(entry->env->env, entry->signature.text, entry->signature.name_length,
                              &key) != napi_ok)
    return NULL;
  return entry->signature.text[0] == '[' ? fibril__env_ask(entry->env, FIBRIL__JS_KEY_OF, 1, &key)
                                         : key;
}

static napi_value target_of(const fibril_module *module, const fibril__export_spec *spec) {
  return spec->target == NULL ? module->exports : spec->target;
}

/* Defined, not set: a name may be `__proto__`. */
int fibril__export_put(fibril_module *module, const fibril__export_spec *spec,
                       const fibril__export *entry, napi_value value,
                       napi_property_attributes attributes) {
  const napi_property_descriptor property = {
      .name = key_of(entry), .value = value, .attributes = attributes};
  if (value != NULL && property.name != NULL &&
      napi_define_properties(module->env->env, target_of(module, spec), 1, &property) == napi_ok)
    return 0;
  return fibril__load_failed(module, spec->what, spec->signature, UV_ENOMEM);
}

/* Every class has these, and may have its own in their place. */
static bool is_of_functions(const fibril__export *entry, const fibril__export_spec *spec) {
  const fibril__signature *names = &entry->signature;
  return spec->target != NULL && (fibril__scan_is(names->text, names->name_length, "name") ||
                                  fibril__scan_is(names->text, names->name_length, "length"));
}

int fibril__export_check_name(fibril_module *module, const fibril__export_spec *spec,
                              const fibril__export *entry) {
  napi_value key = key_of(entry);
  bool taken = false;
  if (key == NULL ||
      napi_has_own_property(module->env->env, target_of(module, spec), key, &taken) != napi_ok)
    return fibril__load_failed(module, spec->what, spec->signature, UV_ENOMEM);
  if (!taken || is_of_functions(entry, spec)) return 0;
  return fibril__load_expected(module, spec->what, spec->signature, "another name", 0);
}

int fibril__export_define(fibril_module *module, const fibril__export_spec *spec,
                          fibril__export *entry, napi_callback callback, int js) {
  napi_value args[FIBRIL__EXPORT_ARGS];
  int err = fibril__export_check_name(module, spec, entry);
  if (err != 0) return err;
  napi_value wrapped = fibril__export_args(entry, callback, args)
                           ? fibril__env_ask(module->env, js, FIBRIL__EXPORT_ARGS, args)
                           : NULL;
  return fibril__export_put(module, spec, entry, wrapped,
                            spec->target == NULL ? napi_default_jsproperty : napi_default_method);
}
