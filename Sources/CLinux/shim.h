// Linux calls that Swift cannot import by itself: variadic ones, and those without a wrapper in glibc 2.36.
#pragma once
// No _GNU_SOURCE here: the Glibc module is built without it, and two different views of a header do not load together.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
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

/// glibc's, since 2.34; its header shows it with _GNU_SOURCE only.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

/// The child closes all its files from `from` on. 0, or an errno.
static inline int kmsd_spawn_close_from(posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

static inline void kmsd_ignore_signal(int sig) { signal(sig, SIG_IGN); }
static inline void kmsd_wipe(void *p, size_t n) { explicit_bzero(p, n); }

/// Connects to a Unix socket; both directions get a time-out. A descriptor, or -1 with errno.
static inline int kmsd_unix_connect(const char *path, int timeoutSeconds) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
    strcpy(address.sun_path, path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) return -1;
    struct timeval limit = { timeoutSeconds, 0 };
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(s, (struct sockaddr *)&address, sizeof address) != 0) {
        int saved = errno;
        close(s);
        errno = saved;
        return -1;
    }
    return s;
}

/// Listens on a Unix socket with the given mode, replacing a stale socket file (never another kind of file). A descriptor,
/// or -1 with errno; EADDRINUSE where somebody still answers there.
static inline int kmsd_unix_listen(const char *path, unsigned mode, int backlog) {
    struct sockaddr_un address;
    struct stat about;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
    strcpy(address.sun_path, path);
    if (lstat(path, &about) == 0) {
        if (!S_ISSOCK(about.st_mode)) { errno = EEXIST; return -1; }
        int other = kmsd_unix_connect(path, 1);
        if (other >= 0) { close(other); errno = EADDRINUSE; return -1; }
        unlink(path);
    }
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) return -1;
    mode_t before = umask(0777 & ~mode);
    int bound = bind(s, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound != 0 || listen(s, backlog) != 0) {
        int saved = errno;
        close(s);
        errno = saved;
        return -1;
    }
    return s;
}

/// Sends everything; 0, or -1 with errno. Never raises SIGPIPE.
static inline int kmsd_send_all(int s, const void *bytes, size_t count) {
    const char *p = (const char *)bytes;
    while (count > 0) {
        ssize_t n = send(s, p, count, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

/// Receives exactly `count` bytes; 0, or -1 (closed, timed out, failed).
static inline int kmsd_receive_all(int s, void *bytes, size_t count) {
    char *p = (char *)bytes;
    while (count > 0) {
        ssize_t n = recv(s, p, count, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

/// 1 where the other side has closed an idle connection.
static inline int kmsd_peer_closed(int s) {
    char byte;
    ssize_t n = recv(s, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}
