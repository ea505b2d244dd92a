// What a message to another process and back costs, by ways that kmsd serve and kmsd hsm could use. Both processes are held on one
// CPU, so that the processor time of both is what a round trip takes. docs/architecture.md quotes it.
//
//     cc -O2 -o /tmp/hop scripts/hop.c && /tmp/hop
//
// A message of one request is 105 bytes and its answer 15; of 256 requests, 25,096 and 1,800. Shared memory: the sender copies in, the
// receiver copies out before it looks at it (the other side may change it), and a futex or an eventfd wakes.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum way { SOCKET, SOCKET_EPOLL, SOCKET_YIELD, RING_FUTEX, RING_EVENTFD, WAYS };
static const char *names[] = {"Unix socket, blocking", "Unix socket, epoll", "Unix socket, yield and look",
                              "shared memory, futex", "shared memory, futex and eventfd"};

struct ring {
    atomic_int request, answer, over;
    char there[32768], back[32768];
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec * 1e-6; }

static void sleep_until(atomic_int *flag) {
    while (atomic_load(flag) == 0) syscall(SYS_futex, flag, FUTEX_WAIT, 0, NULL, NULL, 0);
    atomic_store(flag, 0);
}

static void wake(atomic_int *flag) {
    atomic_store(flag, 1);
    syscall(SYS_futex, flag, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void receive(int fd, char *bytes, int count) {
    for (int got = 0; got < count;) {
        ssize_t n = recv(fd, bytes + got, count - got, 0);
        if (n <= 0) _exit(0);
        got += n;
    }
}

static void serve(enum way way, int fd, int event, struct ring *ring, int there, int back) {
    static char bytes[32768];
    for (;;) {
        if (way < RING_FUTEX) {
            receive(fd, bytes, there);
            send(fd, bytes, back, 0);
            continue;
        }
        sleep_until(&ring->request);
        if (ring->over) _exit(0);
        memcpy(bytes, ring->there, there);
        memcpy(ring->back, bytes, back);
        if (way == RING_FUTEX) wake(&ring->answer);
        else eventfd_write(event, 1);
    }
}

static void ask(enum way way, int fd, int epoll, struct ring *ring, int there, int back) {
    static char bytes[32768];
    struct epoll_event event;
    if (way < RING_FUTEX) {
        send(fd, bytes, there, 0);
        if (way == SOCKET_EPOLL) epoll_wait(epoll, &event, 1, -1);
        if (way == SOCKET_YIELD) {
            sched_yield();
            if (recv(fd, bytes, back, MSG_DONTWAIT) == back) return;
            epoll_wait(epoll, &event, 1, -1);
        }
        receive(fd, bytes, back);
        return;
    }
    memcpy(ring->there, bytes, there);
    wake(&ring->request);
    if (way == RING_FUTEX) sleep_until(&ring->answer);
    else epoll_wait(epoll, &event, 1, -1);
    memcpy(bytes, ring->back, back);
}

static void measure(enum way way, int there, int back) {
    int ends[2], event = eventfd(0, EFD_NONBLOCK), epoll = epoll_create1(0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    struct ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct epoll_event wanted = {.events = EPOLLIN | (way == RING_EVENTFD ? EPOLLET : 0)};
    epoll_ctl(epoll, EPOLL_CTL_ADD, way == RING_EVENTFD ? event : ends[0], &wanted);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        serve(way, ends[1], event, ring, there, back);
    }
    close(ends[1]);
    struct rusage before, after, other;
    getrusage(RUSAGE_SELF, &before);
    long trips = 0;
    for (double until = now() + 0.5; now() < until; trips += 50)
        for (int i = 0; i < 50; i++) ask(way, ends[0], epoll, ring, there, back);
    getrusage(RUSAGE_SELF, &after);
    ring->over = 1;
    wake(&ring->request);
    close(ends[0]);
    wait4(child, NULL, 0, &other);
    double own = seconds(after.ru_utime) + seconds(after.ru_stime) - seconds(before.ru_utime) - seconds(before.ru_stime);
    double its = seconds(other.ru_utime) + seconds(other.ru_stime);
    printf("%-34s %6d bytes: %5.1f us (%.1f + %.1f)\n", names[way], there, (own + its) / trips * 1e6, own / trips * 1e6,
           its / trips * 1e6);
}

int main(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int way = 0; way < WAYS; way++) measure(way, 105, 15);
    for (int way = 0; way < WAYS; way++) measure(way, 25096, 1800);
    return 0;
}
