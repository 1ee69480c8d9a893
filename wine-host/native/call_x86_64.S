/* Everything that is machine code for 64-bit Windows. Sources: "x64 calling convention", "x64 exception handling" and
   "x64 stack usage" of Microsoft's C++ documentation. call_i386.S has the same three entries. */
    .text

/* void zb_call_raw(function rcx, const uint64_t *arguments rdx, uint64_t count r8, uint64_t result[2] r9)
   No signature is needed: an argument that is an integer is looked for in rcx, rdx, r8, r9, a float in xmm0-xmm3, so each of the
   first four goes into both; the rest lies on the stack above 32 bytes that belong to the callee. The result is in rax or
   xmm0: store both. `arguments` has room for at least four. At most 256 arguments, so less than a page of stack: no probe. */
    .globl zb_call_raw
    .def zb_call_raw; .scl 2; .type 32; .endef
    .seh_proc zb_call_raw
zb_call_raw:
    pushq %rbp
    .seh_pushreg %rbp
    pushq %rsi
    .seh_pushreg %rsi
    pushq %rdi
    .seh_pushreg %rdi
    pushq %rbx
    .seh_pushreg %rbx
    subq $8, %rsp
    .seh_stackalloc 8
    movq %rsp, %rbp
    .seh_setframe %rbp, 0
    .seh_endprologue
    movq %rcx, %rax
    movq %r9, %rbx
    movq %rdx, %r10
    cmpq $4, %r8
    ja 1f
    subq $32, %rsp
    jmp 2f
1:  leaq 1(%r8), %r11           /* an even number of words keeps the stack on 16 bytes */
    andq $-2, %r11
    shlq $3, %r11
    subq %r11, %rsp
    leaq 32(%r10), %rsi
    leaq 32(%rsp), %rdi
    leaq -4(%r8), %rcx
    rep movsq
2:  movq (%r10), %rcx
    movq 8(%r10), %rdx
    movq 16(%r10), %r8
    movq 24(%r10), %r9
    movq %rcx, %xmm0
    movq %rdx, %xmm1
    movq %r8, %xmm2
    movq %r9, %xmm3
    call *%rax
    cld                         /* before anything is copied: see modes.h */
    movq %rax, (%rbx)
    movq %xmm0, 8(%rbx)
    leaq 8(%rbp), %rsp
    popq %rbx
    popq %rdi
    popq %rsi
    popq %rbp
    ret
    .seh_endproc

/* int zb_guarded(body rcx, argument rdx, struct zb_guard *guard r8)
   Calls body(argument); 0 when it returned, 1 when an exception ended it, with the modes that it left. All registers that a
   function must keep are saved here, so that zb_guarded_recover works both after RtlUnwindEx (zb_frame_handler) and when the vectored
   handler only moves rip and rsp, because the frames in between cannot be walked. */
    .globl zb_guarded
    .globl zb_guarded_recover
    .globl zb_guarded_end
    .def zb_guarded; .scl 2; .type 32; .endef
    .seh_proc zb_guarded
zb_guarded:
    pushq %rbp
    .seh_pushreg %rbp
    pushq %rbx
    .seh_pushreg %rbx
    pushq %rsi
    .seh_pushreg %rsi
    pushq %rdi
    .seh_pushreg %rdi
    pushq %r12
    .seh_pushreg %r12
    pushq %r13
    .seh_pushreg %r13
    pushq %r14
    .seh_pushreg %r14
    pushq %r15
    .seh_pushreg %r15
    subq $200, %rsp             /* 32 for the callee, 160 for xmm6-15, 8 to align */
    .seh_stackalloc 200
    movaps %xmm6, 32(%rsp)
    .seh_savexmm %xmm6, 32
    movaps %xmm7, 48(%rsp)
    .seh_savexmm %xmm7, 48
    movaps %xmm8, 64(%rsp)
    .seh_savexmm %xmm8, 64
    movaps %xmm9, 80(%rsp)
    .seh_savexmm %xmm9, 80
    movaps %xmm10, 96(%rsp)
    .seh_savexmm %xmm10, 96
    movaps %xmm11, 112(%rsp)
    .seh_savexmm %xmm11, 112
    movaps %xmm12, 128(%rsp)
    .seh_savexmm %xmm12, 128
    movaps %xmm13, 144(%rsp)
    .seh_savexmm %xmm13, 144
    movaps %xmm14, 160(%rsp)
    .seh_savexmm %xmm14, 160
    movaps %xmm15, 176(%rsp)
    .seh_savexmm %xmm15, 176
    .seh_endprologue
    movq %rsp, (%r8)            /* guard->frame */
    movq %rcx, %rax
    movq %rdx, %rcx
    call *%rax
    xorl %eax, %eax
    jmp 1f
zb_guarded_recover:
    movl $1, %eax
1:  movaps 32(%rsp), %xmm6
    movaps 48(%rsp), %xmm7
    movaps 64(%rsp), %xmm8
    movaps 80(%rsp), %xmm9
    movaps 96(%rsp), %xmm10
    movaps 112(%rsp), %xmm11
    movaps 128(%rsp), %xmm12
    movaps 144(%rsp), %xmm13
    movaps 160(%rsp), %xmm14
    movaps 176(%rsp), %xmm15
    addq $200, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rdi
    popq %rsi
    popq %rbx
    popq %rbp
    ret
zb_guarded_end:
    .seh_handler zb_frame_handler, @except
    .seh_endproc

/* Where every stub of thunk.c goes, its index in r10d. The four words above the return address belong to us, so with the
   integer arguments stored there all of them are one array, as a variadic function has it. */
    .globl zb_callback_common
    .def zb_callback_common; .scl 2; .type 32; .endef
    .seh_proc zb_callback_common
zb_callback_common:
    movq %rcx, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %r8, 24(%rsp)
    movq %r9, 32(%rsp)
    subq $72, %rsp
    .seh_stackalloc 72
    .seh_endprologue
    cld
    movq %xmm0, 32(%rsp)
    movq %xmm1, 40(%rsp)
    movq %xmm2, 48(%rsp)
    movq %xmm3, 56(%rsp)
    movl %r10d, %ecx
    leaq 32(%rsp), %rdx         /* struct zb_frame: it ends in what lies at 80 */
    call zb_callback_enter
    movq %rax, %xmm0
    addq $72, %rsp
    ret
    .seh_endproc
