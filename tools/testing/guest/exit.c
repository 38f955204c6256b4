// SPDX-License-Identifier: GPL-2.0
/*
 * exit - end the virtual machine through QEMU: its isa-debug-exit device, or, on
 * arm64, a semihosting call
 *
 * Waits for the status on stdin, with the port at hand: a kernel that is locked
 * down meanwhile gives out none. QEMU then exits with 2 * STATUS + 1, so that
 * success (1) differs from what a panic or a power-down makes of it (0).
 */
#include <stdio.h>
#include <unistd.h>

#ifdef __aarch64__
#define SYS_EXIT 0x18
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static int prepare(void)
{
	return 0;
}

static void end(int status)
{
	long block[] = { ADP_STOPPED_APPLICATION_EXIT, 2 * status + 1 };
	register long operation asm("x0") = SYS_EXIT;
	register long *parameter asm("x1") = block;

	asm volatile("hlt #0xf000" : "+r" (operation) : "r" (parameter) : "memory");
}
#else
#include <sys/io.h>

#define PORT 0xf4

static int prepare(void)
{
	return iopl(3);
}

static void end(int status)
{
	outb(status, PORT);
}
#endif

int main(void)
{
	int status;

	if (prepare()) {
		perror("iopl");
		return 1;
	}
	if (scanf("%d", &status) != 1)
		return 1;
	/* Newer kernels print from a thread: let the console finish. */
	sync();
	usleep(100000);
	end(status);
	return 1;
}
