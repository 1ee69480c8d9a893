/* Everything that is machine code for 32-bit Windows. Sources: "Argument Passing and Naming Conventions" of Microsoft's C++
   documentation, and "A Crash Course on the Depths of Win32 Structured Exception Handling" (Pietrek, MSJ January 1997). */
#include "call_i386.h"
    .text

/* void zb_call_raw(struct zb_raw *raw)
   Makes room for the arguments, has zb_place_arguments fill it, and calls. What has to be kept lies at ebp: the stack pointer is as
   the routine leaves it. A stack grows by its guard page, so a large room is touched from its top. */
    .globl _zb_call_raw
_zb_call_raw:
    pushl %ebp
    movl %esp, %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl 8(%ebp), %ebx
    movl RAW_STACK(%ebx), %ecx
    addl $SLACK, %ecx
1:  cmpl $4096, %ecx
    jb 2f
    subl $4096, %esp
    orl $0, (%esp)
    subl $4096, %ecx
    jmp 1b
2:  subl %ecx, %esp
    andl $-16, %esp             /* compilers that use SSE may count on it */
    movl %esp, %esi
    pushl %esi
    pushl %ebx
    call _zb_place_arguments
    movl %esi, %esp
    movl RAW_REGISTERS(%ebx), %ecx
    movl RAW_REGISTERS+4(%ebx), %edx
    call *RAW_ADDRESS(%ebx)
    cld                         /* before anything is copied: see modes.h */
    movl %esp, %ecx
    subl %esi, %ecx
    leal -12(%ebp), %esp
    movl 8(%ebp), %ebx
    movl %ecx, RAW_TAKEN(%ebx)
    movl %eax, RAW_RESULT(%ebx)
    movl %edx, RAW_RESULT+4(%ebx)
    fnstsw %ax
    testb $0x80, %al            /* an exception that is not masked waits to be raised: not by what follows here */
    jz 5f
    fnclex
5:  cmpl $X87_NONE, RAW_X87(%ebx)
    je 4f
    cmpl $X87_FLOAT, RAW_X87(%ebx)
    jne 3f
    fstps RAW_RESULT(%ebx)
    jmp 4f
3:  fstpl RAW_RESULT(%ebx)
4:  emms                        /* one that returns a float nobody declared would fill the x87 stack by and by */
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

/* int zb_guarded(body, argument, struct zb_guard *guard)
   Calls body(argument); 0 when it returned, 1 when an exception ended it, with the modes that it left. A record in the chain of
   handlers lies on the stack, its address is guard->frame. zb_guarded_recover needs nothing but that the stack pointer is there. */
    .globl _zb_guarded
    .globl _zb_guarded_recover
    .globl _zb_guarded_end
_zb_guarded:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl $_zb_frame_handler
    pushl %fs:0
    movl 36(%esp), %eax         /* guard: behind the record, four registers, return address, two arguments */
    movl %esp, (%eax)
    movl %esp, %fs:0
    movl 28(%esp), %eax
    movl 32(%esp), %ecx
    pushl %ecx
    call *%eax
    addl $4, %esp
    xorl %eax, %eax
    jmp 1f
_zb_guarded_recover:
    movl $1, %eax
1:  popl %fs:0
    addl $4, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
_zb_guarded_end:

    .globl _zb_resume
_zb_resume:
    movl 4(%esp), %esp
    jmp _zb_guarded_recover

/* Where every stub of thunk.c goes, its index in eax. Who takes the arguments away is the callback's convention; the return address
   moves over them. */
    .globl _zb_callback_common
_zb_callback_common:
    pushl %ebp
    movl %esp, %ebp
    cld
    subl $32, %esp              /* 16 for struct zb_called, 12 for struct zb_frame */
    andl $-16, %esp
    movl %ecx, 20(%esp)
    movl %edx, 24(%esp)
    leal 8(%ebp), %ecx
    movl %ecx, 16(%esp)
    movl %esp, %ecx
    leal 16(%esp), %edx
    pushl %ecx
    pushl %edx
    pushl %eax
    call _zb_callback_from_stub
    addl $12, %esp
    cmpl $X87_NONE, CALLED_X87(%esp)
    je 2f
    cmpl $X87_FLOAT, CALLED_X87(%esp)
    jne 1f
    flds CALLED_RESULT(%esp)
    jmp 2f
1:  fldl CALLED_RESULT(%esp)
2:  movl CALLED_TAKEN(%esp), %ecx
    movl 4(%ebp), %eax
    movl %eax, 4(%ebp,%ecx)
    leal 4(%ebp,%ecx), %ecx
    movl CALLED_RESULT(%esp), %eax
    movl CALLED_RESULT+4(%esp), %edx
    movl (%ebp), %ebp
    movl %ecx, %esp
    ret
