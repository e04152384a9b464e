/* For C and assembly: where in the coroutine that a context belongs to fibril__switch_result finds
 * what it returns. */
#ifndef FIBRIL_CORE_ARCH_RESULT_H
#define FIBRIL_CORE_ARCH_RESULT_H

#define FIBRIL__SWITCH_RESULT 112

#endif
