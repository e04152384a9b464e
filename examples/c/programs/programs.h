/* Each program is an async function; module.c exports them. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <fibril.h>

fibril_value toy_scheduler(fibril_args *args);
fibril_value fibonacci(fibril_args *args);
fibril_value simplified_runner(fibril_args *args);
fibril_value parallel(fibril_args *args);
fibril_value interleaving(fibril_args *args);
fibril_value sleep_program(fibril_args *args);
fibril_value get_url_program(fibril_args *args);
fibril_value asyn_sum_program(fibril_args *args);

#endif
