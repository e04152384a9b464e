/* aarch64, AAPCS64 (Linux, macOS): where coroutines begin, and the portable switch. See switch.h. */
#if defined(__aarch64__) && !defined(_WIN32)

#if defined(__APPLE__)
#define SYMBOL(name) _##name
#define HIDDEN(name) .private_extern SYMBOL(name)
#define FUNCTION(name)
#define SIZE(name)
#else
#define SYMBOL(name) name
#define HIDDEN(name) .hidden SYMBOL(name)
#define FUNCTION(name) .type name, %function
#define SIZE(name) .size name, . - name
#endif

#define LANDING_CALL hint 34 /* bti c */
#define LANDING_JUMP hint 36 /* bti j */

#include "result.h"

        .text

/* Entered by a switch: x1 is the context of the new coroutine, sp the aligned top of its stack. The return address is declared
 * undefined and the frame pointer zero, so that unwinders of both kinds end here. A call that never returns would leave the return
 * predictor one entry ahead: hence the jump. */
        .globl SYMBOL(fibril__entry)
        HIDDEN(fibril__entry)
        FUNCTION(fibril__entry)
        .p2align 4
SYMBOL(fibril__entry):
        .cfi_startproc
        .cfi_undefined x30
        LANDING_JUMP
        mov x29, xzr
        mov x0, x1
        adr x30, 1f
        b SYMBOL(fibril__coroutine_main)
1:
        brk #1
        .cfi_endproc
        SIZE(fibril__entry)

/* What a call preserves: x19-x28, x30 and d8-d15 on the stack, sp and x29 in the context. */
        .macro SAVE
        sub sp, sp, #160
        .cfi_def_cfa_offset 160
        stp x19, x20, [sp, #0]
        stp x21, x22, [sp, #16]
        stp x23, x24, [sp, #32]
        stp x25, x26, [sp, #48]
        stp x27, x28, [sp, #64]
        str x30, [sp, #80]
        .cfi_offset x30, -80
        stp d8, d9, [sp, #96]
        stp d10, d11, [sp, #112]
        stp d12, d13, [sp, #128]
        stp d14, d15, [sp, #144]
        .endm

/* From the context x0 to x1, to be gone on with at the label 1. */
        .macro GO
        mov x9, sp
        adr x10, 1f
        stp x9, x29, [x0]
        str x10, [x0, #16]
        ldp x9, x29, [x1]
        ldr x10, [x1, #16]
        mov sp, x9
        br x10
        .endm

        .macro RESTORE_AND_RETURN
        ldp x19, x20, [sp, #0]
        ldp x21, x22, [sp, #16]
        ldp x23, x24, [sp, #32]
        ldp x25, x26, [sp, #48]
        ldp x27, x28, [sp, #64]
        ldr x30, [sp, #80]
        ldp d8, d9, [sp, #96]
        ldp d10, d11, [sp, #112]
        ldp d12, d13, [sp, #128]
        ldp d14, d15, [sp, #144]
        add sp, sp, #160
        .cfi_def_cfa_offset 0
        .cfi_restore x30
        br x30
        .endm

/* void fibril__switch_call(fibril__context *from (x0), fibril__context *to (x1)) */
        .globl SYMBOL(fibril__switch_call)
        HIDDEN(fibril__switch_call)
        FUNCTION(fibril__switch_call)
        .p2align 4
SYMBOL(fibril__switch_call):
        .cfi_startproc
        LANDING_CALL
        SAVE
        GO
1:
        LANDING_JUMP
        RESTORE_AND_RETURN
        .cfi_endproc
        SIZE(fibril__switch_call)

/* fibril_value fibril__switch_result(fibril__context *from (x0), fibril__context *to (x1))
 * int fibril__switch_status(the same)
 * At the label, x1 is the own context: it was the other side's `to`. */
        .globl SYMBOL(fibril__switch_result)
        .globl SYMBOL(fibril__switch_status)
        HIDDEN(fibril__switch_result)
        HIDDEN(fibril__switch_status)
        FUNCTION(fibril__switch_result)
        FUNCTION(fibril__switch_status)
        .p2align 4
SYMBOL(fibril__switch_result):
SYMBOL(fibril__switch_status):
        .cfi_startproc
        LANDING_CALL
        SAVE
        GO
1:
        LANDING_JUMP
        ldp x0, x1, [x1, #FIBRIL__SWITCH_RESULT]
        RESTORE_AND_RETURN
        .cfi_endproc
        SIZE(fibril__switch_result)
        SIZE(fibril__switch_status)

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
