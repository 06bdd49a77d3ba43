// The bare ring of MappedRing.cs, line by line, in C: two processes, a ring in each direction, both ends looking.
//
//   ring trips SECONDS    prints the p50 and p99 of a round trip of 64 bytes, in nanoseconds
//   ring bytes SECONDS    prints the bytes a second in blocks of 64 KiB in one direction
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CAPACITY = 256 * 1024, BLOCK = 64 * 1024, MESSAGE = 64, BUCKETS = 1 << 20, SPINS = 2000 };
static const uint64_t BYTES_AN_ORDER = 64ull * 1024 * 1024;

struct ring {
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(4096) unsigned char data[CAPACITY];
};

static void pause_once(unsigned *count) {
    if (++*count < SPINS) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    } else {
        sched_yield();
    }
}

static size_t write_some(struct ring *ring, const unsigned char *source, size_t length) {
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t room = CAPACITY - (size_t)(tail - atomic_load_explicit(&ring->head, memory_order_acquire));
    size_t count = length < room ? length : room;
    size_t offset = (size_t)(tail % CAPACITY);
    size_t first = count < CAPACITY - offset ? count : CAPACITY - offset;
    memcpy(ring->data + offset, source, first);
    memcpy(ring->data, source + first, count - first);
    atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
    return count;
}

static size_t read_some(struct ring *ring, unsigned char *destination, size_t length) {
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t available = (size_t)(atomic_load_explicit(&ring->tail, memory_order_acquire) - head);
    size_t count = length < available ? length : available;
    size_t offset = (size_t)(head % CAPACITY);
    size_t first = count < CAPACITY - offset ? count : CAPACITY - offset;
    memcpy(destination, ring->data + offset, first);
    memcpy(destination + first, ring->data, count - first);
    atomic_store_explicit(&ring->head, head + count, memory_order_release);
    return count;
}

static void write_all(struct ring *ring, const unsigned char *source, size_t length) {
    for (unsigned waits = 0; length > 0;) {
        size_t count = write_some(ring, source, length);
        source += count;
        length -= count;
        count > 0 ? (void)(waits = 0) : pause_once(&waits);
    }
}

static void read_all(struct ring *ring, unsigned char *destination, size_t length) {
    for (unsigned waits = 0; length > 0;) {
        size_t count = read_some(ring, destination, length);
        destination += count;
        length -= count;
        count > 0 ? (void)(waits = 0) : pause_once(&waits);
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// The other process: echoes messages, or swallows blocks and confirms each order.
static void serve(struct ring *in, struct ring *out, int is_trips) {
    static unsigned char block[BLOCK];
    for (;;) {
        if (is_trips) {
            read_all(in, block, MESSAGE);
            write_all(out, block, MESSAGE);
        } else {
            for (uint64_t left = BYTES_AN_ORDER; left > 0; left -= BLOCK) {
                read_all(in, block, BLOCK);
            }
            write_all(out, block, 1);
        }
    }
}

static uint64_t percentile(const uint32_t *buckets, uint64_t total, double share) {
    uint64_t seen = 0;
    for (uint64_t i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if ((double)seen >= share * (double)total) {
            return i;
        }
    }
    return BUCKETS;
}

static void measure_trips(struct ring *out, struct ring *in, uint64_t duration) {
    static uint32_t buckets[BUCKETS];
    unsigned char message[MESSAGE] = {0};
    uint64_t total = 0;
    for (uint64_t start = now(); now() - start < duration; total++) {
        uint64_t sent = now();
        write_all(out, message, MESSAGE);
        read_all(in, message, MESSAGE);
        uint64_t took = now() - sent;
        buckets[took < BUCKETS ? took : BUCKETS - 1]++;
    }
    printf("%llu %llu\n", (unsigned long long)percentile(buckets, total, 0.5), (unsigned long long)percentile(buckets, total, 0.99));
}

static void measure_bytes(struct ring *out, struct ring *in, uint64_t duration) {
    static unsigned char block[BLOCK];
    uint64_t sent = 0, start = now();
    do {
        for (uint64_t left = BYTES_AN_ORDER; left > 0; left -= BLOCK) {
            write_all(out, block, BLOCK);
        }
        read_all(in, block, 1);
        sent += BYTES_AN_ORDER;
    } while (now() - start < duration);
    printf("%.0f\n", (double)sent * 1e9 / (double)(now() - start));
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: ring trips|bytes SECONDS\n");
        return 2;
    }
    int is_trips = strcmp(arguments[1], "trips") == 0;
    uint64_t duration = (uint64_t)(atof(arguments[2]) * 1e9);
    struct ring *rings = mmap(NULL, 2 * sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rings == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    pid_t parent = getpid(), child = fork();
    if (child < 0) {
        perror("fork");
        return 1;
    }
    if (child == 0) {
        // It looks for ever, so it must not outlive the one that it works for.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            serve(&rings[0], &rings[1], is_trips);
        }
        _exit(0);
    }
    (is_trips ? measure_trips : measure_bytes)(&rings[0], &rings[1], duration);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
