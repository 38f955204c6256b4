// SPDX-License-Identifier: GPL-2.0
/*
 * exit STATUS - end the virtual machine through QEMU's isa-debug-exit device
 *
 * QEMU then exits with 2 * STATUS + 1, so that success (1) differs from what
 * a panic or a power-down makes of it (0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT 0xf4

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: exit STATUS\n");
		return 2;
	}
	if (iopl(3)) {
		perror("iopl");
		return 1;
	}
	/* Newer kernels print from a thread: let the console finish. */
	sync();
	usleep(100000);
	outb(atoi(argv[1]), PORT);
	return 1;
}
