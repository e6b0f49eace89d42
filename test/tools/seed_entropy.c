/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * seed_entropy FILE
 *
 * Feeds the kernel's random generator from FILE and credits it, so that
 * getrandom(2) does not wait in a guest that has no source of its own.
 */
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SEED_WORDS = 64 };

int main(int argc, char **argv) {
    /* struct rand_pool_info with its array of a certain length */
    struct {
        int entropy_bits;
        int bytes;
        __u32 words[SEED_WORDS];
    } pool;
    if (argc != 2) {
        fputs("usage: seed_entropy FILE\n", stderr);
        return 2;
    }
    int in = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (in < 0 || read(in, pool.words, sizeof(pool.words)) !=
                      (ssize_t)sizeof(pool.words)) {
        perror(argv[1]);
        return 1;
    }
    close(in);
    pool.entropy_bits = SEED_WORDS * 32;
    pool.bytes = sizeof(pool.words);
    int out = open("/dev/random", O_WRONLY | O_CLOEXEC);
    if (out < 0 || ioctl(out, RNDADDENTROPY, &pool) < 0) {
        perror("/dev/random");
        return 1;
    }
    close(out);
    return 0;
}
