// SPDX-License-Identifier: GPL-2.0
/*
 * exit - end the virtual machine through QEMU's isa-debug-exit device
 *
 * Waits for the status on stdin, with the port at hand: a kernel that is locked
 * down meanwhile gives out none. QEMU then exits with 2 * STATUS + 1, so that
 * success (1) differs from what a panic or a power-down makes of it (0).
 */
#include <stdio.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT 0xf4

int main(void)
{
	int status;

	if (iopl(3)) {
		perror("iopl");
		return 1;
	}
	if (scanf("%d", &status) != 1)
		return 1;
	/* Newer kernels print from a thread: let the console finish. */
	sync();
	usleep(100000);
	outb(status, PORT);
	return 1;
}
