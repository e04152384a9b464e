/* The context switch.
 *
 * A context is three words: stack pointer, frame pointer, and where to go on. The inline form
 * declares every other register clobbered, so that the compiler saves only what is alive at the
 * place of the switch (in a drain loop: next to nothing), and ends in an indirect jump: a `ret` on
 * a stack that the return predictor has not seen costs about 16 ns.
 *
 * Shared by all coroutines of a thread, and so not saved: mxcsr and the x87 control word on x86_64,
 * fpcr on aarch64. The frame pointer is saved by hand because it can't be named as clobbered where
 * the compiler uses one. */
#ifndef FIBRIL_CORE_ARCH_SWITCH_H
#define FIBRIL_CORE_ARCH_SWITCH_H

#include "../sanitize.h"

/* A context: what is left of a flow of control that does not run. Three words, wherever they are:
 * in a coroutine's control block, in a frame on the loop's stack.
 *
 *             +0          +8          +16
 *             +-----------+-----------+-----------+
 *     context |    sp     |    fp     |    ip     |
 *             +-----------+-----------+-----------+
 *                  |           |           |
 *                  |           |           +--> where to go on: behind its own switch, or
 *                  |           |                fibril__entry of one that has not run
 *                  |           +--> the frame pointer, by hand: it can't be named as clobbered
 *                  +--> its stack; what was alive in other registers the compiler has put there
 *
 *     switch from A to B:   A.sp, A.fp, A.ip <- here        (three stores)
 *                           sp, fp <- B.sp, B.fp; jump B.ip (two loads, one indirect jump, no ret)
 */
typedef struct fibril__context {
  void *sp;
  void *fp;
  void *ip;
#if FIBRIL__FIBERS
  fibril__fiber fiber;
#endif
} fibril__context;

/* Where a new coroutine begins: calls fibril__coroutine_main(context), which whoever uses the
 * switch defines. In the .S file of the ABI. */
void fibril__entry(void);
void fibril__coroutine_main(fibril__context *context);

/* One that begins with its stack pointer at `sp` when somebody switches to it. */
static inline void fibril__context_init(fibril__context *context, void *sp) {
  context->sp = sp;
  context->ip = (void *)fibril__entry;
}

/* The portable form, and the reference: saves what the ABI says a call preserves. */
void fibril__switch_call(fibril__context *from, fibril__context *to);

/* fibril__switch_result and _status (scheduler/call.h) are fibril__switch_call, and return the two
 * words, or the int, at this offset from `from` as whoever came back has left them. They can do so
 * because every switch leaves `to` in the register of the second argument. */
#include "result.h"

/* Without optimisation gcc can't give up all registers, so -O0 uses the .S file. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(FIBRIL_SWITCH_PORTABLE) && \
    (defined(__x86_64__) || defined(__aarch64__)) && !defined(__ILP32__) && !defined(_WIN32)
#define FIBRIL_SWITCH_INLINE 1
#else
#define FIBRIL_SWITCH_INLINE 0
#endif

#if FIBRIL_SWITCH_INLINE && defined(__x86_64__)

#if defined(__CET__)
#define FIBRIL__LANDING "endbr64\n\t"
#else
#define FIBRIL__LANDING ""
#endif
#if defined(__AVX512F__)
#define FIBRIL__CLOBBER_VECTOR                                                                  \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",   \
      "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", \
      "k7"
#else
#define FIBRIL__CLOBBER_VECTOR
#endif

/* Leaves the context `from` and goes on in `to`; returns when somebody switches to `from`. */
__attribute__((always_inline)) static inline void fibril__switch(fibril__context *from,
                                                                 fibril__context *to) {
  fibril__context *self = from;
  FIBRIL__FIBER_LEAVE(from, to);
  __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                   "movq %%rsp, 0(%%rdi)\n\t"
                   "movq %%rbp, 8(%%rdi)\n\t"
                   "movq %%rax, 16(%%rdi)\n\t"
                   "movq 0(%%rsi), %%rsp\n\t"
                   "movq 8(%%rsi), %%rbp\n\t"
                   "jmpq *16(%%rsi)\n"
                   "1:\n\t" FIBRIL__LANDING
                   : "+D"(from), "+S"(to)
                   :
                   : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                     "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                     "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "mm0", "mm1",
                     "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "memory",
                     "cc" FIBRIL__CLOBBER_VECTOR);
  FIBRIL__FIBER_ARRIVE(self);
  (void)self;
}

/* The same for a context that nobody will return to. */
__attribute__((always_inline)) _Noreturn static inline void fibril__jump(fibril__context *from,
                                                                         fibril__context *to) {
  (void)from;
  FIBRIL__FIBER_END(from, to);
  __asm__ volatile("movq 8(%%rsi), %%rbp\n\t"
                   "movq 0(%%rsi), %%rsp\n\t"
                   "jmpq *16(%%rsi)\n\t"
                   :
                   : "S"(to)
                   : "memory");
  __builtin_unreachable();
}

#elif FIBRIL_SWITCH_INLINE && defined(__aarch64__)

/* x18 is a scratch register on Linux, and reserved (never to be named) on Apple systems and
 * Windows. */
#if defined(__linux__)
#define FIBRIL__CLOBBER_X18 , "x18"
#else
#define FIBRIL__CLOBBER_X18
#endif
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define FIBRIL__LANDING "hint 36\n\t" /* bti j */
#else
#define FIBRIL__LANDING ""
#endif

__attribute__((always_inline)) static inline void fibril__switch(fibril__context *from,
                                                                 fibril__context *to) {
  fibril__context *self = from;
  FIBRIL__FIBER_LEAVE(from, to);
  register fibril__context *x0 __asm__("x0") = from;
  register fibril__context *x1 __asm__("x1") = to;
  __asm__ volatile("mov x9, sp\n\t"
                   "adr x10, 1f\n\t"
                   "stp x9, x29, [x0]\n\t"
                   "str x10, [x0, #16]\n\t"
                   "ldp x9, x29, [x1]\n\t"
                   "ldr x10, [x1, #16]\n\t"
                   "mov sp, x9\n\t"
                   "br x10\n"
                   "1:\n\t" FIBRIL__LANDING
                   : "+r"(x0), "+r"(x1)
                   :
                   : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                     "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
                     "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                     "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
                     "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                     "v30", "v31", "memory", "cc" FIBRIL__CLOBBER_X18);
  FIBRIL__FIBER_ARRIVE(self);
  (void)self;
}

__attribute__((always_inline)) _Noreturn static inline void fibril__jump(fibril__context *from,
                                                                         fibril__context *to) {
  (void)from;
  FIBRIL__FIBER_END(from, to);
  register fibril__context *x1 __asm__("x1") = to;
  __asm__ volatile("ldp x9, x29, [x1]\n\t"
                   "ldr x10, [x1, #16]\n\t"
                   "mov sp, x9\n\t"
                   "br x10\n\t"
                   :
                   : "r"(x1)
                   : "memory");
  __builtin_unreachable();
}

#else

static inline void fibril__switch(fibril__context *from, fibril__context *to) {
  FIBRIL__FIBER_LEAVE(from, to);
  fibril__switch_call(from, to);
  FIBRIL__FIBER_ARRIVE(from);
}

_Noreturn static inline void fibril__jump(fibril__context *from, fibril__context *to) {
  FIBRIL__FIBER_END(from, to);
  fibril__switch_call(from, to);
  __builtin_unreachable();
}

#endif

/* A coroutine that leaves in a wait leaves the calls it is in on the return predictor, and every
 * return of whoever started it is then mispredicted. Two returns to right here take off what a
 * coroutine leaves that waits in the function it began with. */
__attribute__((always_inline)) static inline void fibril__forget_returns(void) {
#if FIBRIL_SWITCH_INLINE && defined(__x86_64__)
  __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t" /* the red zone */
                   "leaq 1f(%%rip), %%rax\n\t"
                   "pushq %%rax\n\t"
                   "ret\n"
                   "1:\n\t"
                   "leaq 2f(%%rip), %%rax\n\t"
                   "pushq %%rax\n\t"
                   "ret\n"
                   "2:\n\t"
                   "leaq 128(%%rsp), %%rsp\n\t"
                   :
                   :
                   : "rax", "memory");
#endif
}

#endif /* FIBRIL_CORE_ARCH_SWITCH_H */
