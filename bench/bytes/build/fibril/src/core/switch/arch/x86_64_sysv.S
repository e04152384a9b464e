/* x86_64, System V ABI (Linux, macOS, the BSDs): where coroutines begin, and the portable switch. See switch.h. */
#if defined(__x86_64__) && !defined(_WIN32)

#if defined(__APPLE__)
#define SYMBOL(name) _##name
#define HIDDEN(name) .private_extern SYMBOL(name)
#define FUNCTION(name)
#define SIZE(name)
#else
#define SYMBOL(name) name
#define HIDDEN(name) .hidden SYMBOL(name)
#define FUNCTION(name) .type name, @function
#define SIZE(name) .size name, . - name
#endif

#if defined(__CET__)
#define LANDING endbr64
#else
#define LANDING
#endif

#include "result.h"

        .text

/* Entered by a switch: rsi is the context of the new coroutine, rsp the aligned top of its stack. The return address is declared
 * undefined and the frame pointer zero, so that unwinders of both kinds end here. A call that never returns would leave the return
 * predictor one entry ahead: hence the jump. */
        .globl SYMBOL(fibril__entry)
        HIDDEN(fibril__entry)
        FUNCTION(fibril__entry)
        .p2align 4
SYMBOL(fibril__entry):
        .cfi_startproc
        .cfi_undefined rip
        LANDING
        xorl %ebp, %ebp
        movq %rsi, %rdi
        leaq 1f(%rip), %rax
        pushq %rax
        jmp SYMBOL(fibril__coroutine_main)
1:
        ud2
        .cfi_endproc
        SIZE(fibril__entry)

/* What a call preserves: rbx, r12-r15 on the stack, rsp and rbp in the context. */
        .macro SAVE
        pushq %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        .endm

/* From the context rdi to rsi, to be gone on with at the label 1. */
        .macro GO
        leaq 1f(%rip), %rax
        movq %rsp, 0(%rdi)
        movq %rbp, 8(%rdi)
        movq %rax, 16(%rdi)
        movq 0(%rsi), %rsp
        movq 8(%rsi), %rbp
        jmpq *16(%rsi)
        .endm

/* The return is a jump: see switch.h. */
        .macro RESTORE_AND_RETURN
        popq %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        jmpq *%rcx
        .endm

/* void fibril__switch_call(fibril__context *from (rdi), fibril__context *to (rsi)) */
        .globl SYMBOL(fibril__switch_call)
        HIDDEN(fibril__switch_call)
        FUNCTION(fibril__switch_call)
        .p2align 4
SYMBOL(fibril__switch_call):
        .cfi_startproc
        LANDING
        SAVE
        GO
1:
        LANDING
        RESTORE_AND_RETURN
        .cfi_endproc
        SIZE(fibril__switch_call)

/* fibril_value fibril__switch_result(fibril__context *from (rdi), fibril__context *to (rsi))
 * int fibril__switch_status(the same)
 * At the label, rsi is the own context: it was the other side's `to`. */
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
        LANDING
        SAVE
        GO
1:
        LANDING
        movq FIBRIL__SWITCH_RESULT(%rsi), %rax
        movq FIBRIL__SWITCH_RESULT + 8(%rsi), %rdx
        RESTORE_AND_RETURN
        .cfi_endproc
        SIZE(fibril__switch_result)
        SIZE(fibril__switch_status)

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
