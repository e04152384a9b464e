/* What index.js builds upon: two classes, an error and two enums. */
#include "functions.h"
#include "methods.h"

#include <stdlib.h>

environment *environment_here(void) {
  return fibril_loop_data(fibril_loop_current());
}

/* Databases may be released later than this, where they keep each other. */
static void environment_release(void *data) {
  environment *self = data;
  for (database *db = self->first; db != NULL; db = db->next) {
    db->env = NULL;
    db->link = NULL;
  }
  fibril_value_free(self->named);
  if (self->poster != NULL) fibril_poster_unref(self->poster);
  free(self);
}

/* The function that looks into objects of parameters. */
static fibril_value set_named(fibril_args *args) {
  environment *self = environment_here();
  fibril_value_free(self->named);
  self->named = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

#define VALUE "(null | number | string | bigint | bytes)"
#define LIST "values: (null | number | string | bigint | bytes | " VALUE "[] | object)[]"
#define VALUES "..." LIST
#define IN "transaction: uint32, signal: AbortSignal | undefined, "

static void export_databases(fibril_class *cls) {
  fibril_class_constructor(cls,
                           "(path?: path = '', options?: { readonly?: boolean = false, "
                           "fileMustExist?: boolean = false, timeout?: uint32 = 5000 })",
                           database_new);
  fibril_class_static(
      cls,
      "openAsync(path?: path = '', options?: { readonly?: boolean = false, "
      "fileMustExist?: boolean = false, timeout?: uint32 = 5000 }): Promise<Database>",
      database_open_later, NULL);
  fibril_class_method(cls, "prepare(sql: string): Statement", database_prepare, NULL);
  fibril_class_method(cls, "exec(sql: string): this", database_exec, NULL);
  fibril_class_method(cls, "close(): this", database_close, NULL);
  fibril_class_method(cls, "closeAsync(): Promise<void>", database_close_later, NULL);
  fibril_class_alias(cls, "[Symbol.asyncDispose] = closeAsync");
  fibril_class_method(cls, "defaultSafeIntegers(on?: boolean = true): this", database_safe_integers,
                      NULL);
  fibril_class_getter(cls, "open: boolean", database_is_open);
  fibril_class_getter(cls, "name: string", database_name);
  fibril_class_getter(cls, "memory: boolean", database_is_memory);
  fibril_class_getter(cls, "readonly: boolean", database_is_readonly);
  fibril_class_getter(cls, "inTransaction: boolean", database_in_transaction);
  fibril_class_getter(cls, "busy: boolean", database_is_busy);
}

/* What index.js puts its own methods around. */
static void export_inner(fibril_class *cls) {
  fibril_class_method(cls, "_prepare(" IN "sql: string): Promise<Statement>",
                      database_prepare_later, NULL);
  fibril_class_method(cls, "_hold(on: boolean): void", database_hold, NULL);
  fibril_class_method(cls, "_exec(" IN "sql: string): Promise<this>", database_exec_later, NULL);
  fibril_class_method(cls,
                      "_transact(mode: TransactionMode, fn: (transaction: number) => Promise<any>, "
                      "signal: AbortSignal | undefined): Promise<any>",
                      database_transact, NULL);
  fibril_class_method(cls,
                      "_function(name: string, count: int32, options: { safeIntegers?: boolean, "
                      "deterministic: boolean, directOnly: boolean }, fn: Function): this",
                      database_function, NULL);
  fibril_class_method(cls,
                      "_aggregate(name: string, count: int32, options: { safeIntegers?: boolean, "
                      "deterministic: boolean, directOnly: boolean }, start: Function, "
                      "step: Function, inverse: Function | undefined, result: Function): this",
                      database_aggregate, NULL);
  fibril_class_method(cls,
                      "_backup(to: path, attached: string, progress: Function | undefined, "
                      "signal: AbortSignal | undefined): Promise<object>",
                      database_backup, NULL);
}

static void export_statements(fibril_class *cls) {
  const fibril_export_options ahead = {.size = sizeof ahead, .ahead = 64};
  fibril_class_constructor(cls, "()", statement_new);
  fibril_class_method(cls, "run(" VALUES "): object", statement_run, NULL);
  fibril_class_method(cls, "get(" VALUES "): any", statement_get, NULL);
  fibril_class_method(cls, "all(" VALUES "): any[]", statement_all, NULL);
  fibril_class_generator(cls, "iterate(" VALUES "): Generator<any>", statement_iterate, NULL);
  fibril_class_method(cls, "bind(" VALUES "): this", statement_bind, NULL);
  fibril_class_method(cls, "pluck(on?: boolean = true): this", statement_pluck, NULL);
  fibril_class_method(cls, "raw(on?: boolean = true): this", statement_raw, NULL);
  fibril_class_method(cls, "expand(on?: boolean = true): this", statement_expand, NULL);
  fibril_class_method(cls, "safeIntegers(on?: boolean = true): this", statement_safe_integers,
                      NULL);
  fibril_class_method(cls, "columns(): object[]", statement_columns, NULL);
  fibril_class_method(cls, "toString(): string", statement_text, NULL);
  fibril_class_getter(cls, "database: Database", statement_database);
  fibril_class_getter(cls, "source: string", statement_source);
  fibril_class_getter(cls, "reader: boolean", statement_is_reader);
  fibril_class_getter(cls, "readonly: boolean", statement_is_readonly);
  fibril_class_getter(cls, "busy: boolean", statement_is_busy);
  fibril_class_method(cls, "_run(" IN LIST "): Promise<object>", statement_run_later, NULL);
  fibril_class_method(cls, "_get(" IN LIST "): Promise<any>", statement_get_later, NULL);
  fibril_class_method(cls, "_all(" IN LIST ", push: Function): Promise<any[]>", statement_all_later,
                      NULL);
  fibril_class_async_generator(cls, "_iterate(" IN LIST "): AsyncGenerator<any>",
                               statement_iterate_later, &ahead);
}

FIBRIL_MODULE(m) {
  environment *self = calloc(1, sizeof *self);
  if (self == NULL) abort();
  self->named = fibril_undefined();
  self->poster = fibril_loop_poster(fibril_loop_current());
  if (fibril_loop_set_data(fibril_loop_current(), self, environment_release) != 0) abort();
  const fibril_class_options databases = {
      .size = sizeof databases, .state_size = sizeof(database), .release = database_release};
  const fibril_class_options statements = {
      .size = sizeof statements, .state_size = sizeof(statement), .release = statement_release};
  fibril_export_error(m,
                      "SqliteError extends Error { code: string; errcode: int32; offset?: int32 }");
  fibril_export_enum(m, "/** How a transaction begins. */ TransactionMode { DEFERRED = 'deferred', "
                        "IMMEDIATE = 'immediate', EXCLUSIVE = 'exclusive' }");
  fibril_export_value(m, "/** SQLite's. */ VERSION: string",
                      fibril_string(sqlite3_libversion(), FIBRIL_AUTO_LENGTH));
  self->statements = fibril_export_class(m, "Statement", &statements);
  self->databases = fibril_export_class(m, "Database", &databases);
  export_databases(self->databases);
  export_inner(self->databases);
  export_statements(self->statements);
  fibril_module_end(m, close_all, self);
  fibril_export(m, "setNamed(fn: Function): void", set_named);
  fibril_export(m, "leave(): void", leave_all);
}
