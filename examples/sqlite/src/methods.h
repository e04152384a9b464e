/* What JavaScript calls. */
#ifndef SQLITE_METHODS_H
#define SQLITE_METHODS_H

#include "sqlite.h"

/* synchronous.c */
fibril_value statement_run(fibril_args *args);
fibril_value statement_get(fibril_args *args);
fibril_value statement_all(fibril_args *args);
fibril_value statement_iterate(fibril_args *args, fibril_generator *generator);
fibril_value database_prepare(fibril_args *args);
fibril_value database_exec(fibril_args *args);
/* A synchronous transaction begins, or ends. */
fibril_value database_hold(fibril_args *args);
fibril_value database_close(fibril_args *args);
/* What run() gives; `before`: sqlite3_total_changes before it. */
fibril_value run_info(const statement *self, int before, bool safe);

/* accessors.c */
fibril_value database_safe_integers(fibril_args *args);
fibril_value database_is_open(fibril_args *args);
fibril_value database_name(fibril_args *args);
fibril_value database_is_memory(fibril_args *args);
fibril_value database_is_readonly(fibril_args *args);
fibril_value database_in_transaction(fibril_args *args);
fibril_value database_is_busy(fibril_args *args);
fibril_value statement_new(fibril_args *args);
fibril_value statement_pluck(fibril_args *args);
fibril_value statement_raw(fibril_args *args);
fibril_value statement_expand(fibril_args *args);
fibril_value statement_safe_integers(fibril_args *args);
fibril_value statement_columns(fibril_args *args);
fibril_value statement_bind(fibril_args *args);
fibril_value statement_text(fibril_args *args);
fibril_value statement_database(fibril_args *args);
fibril_value statement_source(fibril_args *args);
fibril_value statement_is_reader(fibril_args *args);
fibril_value statement_is_readonly(fibril_args *args);
fibril_value statement_is_busy(fibril_args *args);

/* asynchronous.c */
fibril_value statement_run_later(fibril_args *args);
fibril_value statement_get_later(fibril_args *args);
fibril_value statement_all_later(fibril_args *args);
fibril_value statement_iterate_later(fibril_args *args, fibril_generator *generator);
fibril_value database_prepare_later(fibril_args *args);
fibril_value database_exec_later(fibril_args *args);
fibril_value database_close_later(fibril_args *args);
/* The environment's end, when nobody uses a connection any more. */
fibril_value close_all(void *environment);

/* transact.c */
fibril_value database_transact(fibril_args *args);

/* functions.c, aggregates.c */
fibril_value database_function(fibril_args *args);
fibril_value database_aggregate(fibril_args *args);

/* backup.c */
fibril_value database_backup(fibril_args *args);

#endif /* SQLITE_METHODS_H */
