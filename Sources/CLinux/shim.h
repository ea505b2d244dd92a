// Linux calls that Swift cannot import by itself: variadic ones, and those without a wrapper in glibc 2.36.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <fcntl.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/// A file whose pages the kernel removes from its own map: not swapped, not dumped, not readable through /proc.
/// -1 where the kernel does not offer it.
static inline int kmsd_memfd_secret(void) { return (int)syscall(SYS_memfd_secret, O_CLOEXEC); }

static inline int kmsd_set_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int kmsd_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
static inline int kmsd_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static inline int kmsd_set_parent_death_signal(int sig) { return prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0); }

typedef struct { int32_t pid; uint32_t uid; uint32_t gid; } kmsd_peer;

/// Who is at the other end of a connected Unix socket, as the kernel knows it; 0 or -1.
static inline int kmsd_peer_credentials(int socket, kmsd_peer *peer) {
    struct { int32_t pid; uint32_t uid; uint32_t gid; } c;
    socklen_t length = sizeof c;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &c, &length) != 0) return -1;
    peer->pid = c.pid; peer->uid = c.uid; peer->gid = c.gid;
    return 0;
}

static inline void kmsd_ignore_signal(int sig) { signal(sig, SIG_IGN); }
static inline void kmsd_wipe(void *p, size_t n) { explicit_bzero(p, n); }
