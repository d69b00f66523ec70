/* Records what a process does to a SQLite file and its log, in order, so that a test can build what a power loss leaves.

   Every record is one line of head, `<op> <path> <offset> <length>\n`, followed by `length` bytes. An `fsync` is recorded when
   it has returned; a write of a line to the ledger of acknowledged events is recorded as `A`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096
#define NAME 512

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char names[FILES][NAME];
static int record_fd = -1;

static const char *name_of(int fd) {
    return fd >= 0 && fd < FILES && names[fd][0] ? names[fd] : NULL;
}

static void note(char op, const char *name, long offset, const void *data, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (record_fd < 0) return;
    char head[NAME + 64];
    int size = snprintf(head, sizeof head, "%c %s %ld %zu\n", op, name, offset, length);
    if (real(record_fd, head, size) != size) abort();
    for (size_t done = 0; done < length;) {
        ssize_t wrote = real(record_fd, (const char *)data + done, length - done);
        if (wrote <= 0) abort();
        done += wrote;
    }
}

static void opened(int fd, const char *path) {
    const char *wanted = getenv("UPSHOT_RECORDED_FILE"), *to = getenv("UPSHOT_RECORD");
    if (fd < 0 || fd >= FILES || !wanted || !to) return;
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    names[fd][0] = 0;
    if (strncmp(base, wanted, strlen(wanted)) && strcmp(base, "accepted")) return;
    if (strstr(base, "-shm") || strstr(base, "-engine")) return;
    snprintf(names[fd], NAME, "%s", base);
    if (record_fd < 0) {
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        record_fd = real(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

#define OPEN(function)                                                  \
    int function(const char *path, int flags, ...) {                    \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #function); \
        va_list rest;                                                   \
        va_start(rest, flags);                                          \
        int mode = va_arg(rest, int);                                   \
        va_end(rest);                                                   \
        int fd = real(path, flags, mode);                               \
        opened(fd, path);                                               \
        return fd;                                                      \
    }
OPEN(open)
OPEN(open64)

#define PWRITE(function, kind)                                                        \
    ssize_t function(int fd, const void *data, size_t length, kind offset) {          \
        ssize_t (*real)(int, const void *, size_t, kind) = dlsym(RTLD_NEXT, #function); \
        const char *name = name_of(fd);                                               \
        if (!name) return real(fd, data, length, offset);                             \
        pthread_mutex_lock(&order);                                                   \
        ssize_t wrote = real(fd, data, length, offset);                               \
        if (wrote > 0) note('W', name, (long)offset, data, wrote);                    \
        pthread_mutex_unlock(&order);                                                 \
        return wrote;                                                                 \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    const char *name = name_of(fd);
    if (!name || strcmp(name, "accepted")) return real(fd, data, length);
    pthread_mutex_lock(&order);
    ssize_t wrote = real(fd, data, length);
    if (wrote > 0) note('A', name, 0, data, wrote);
    pthread_mutex_unlock(&order);
    return wrote;
}

#define TRUNCATE(function, kind)                                   \
    int function(int fd, kind length) {                            \
        int (*real)(int, kind) = dlsym(RTLD_NEXT, #function);      \
        const char *name = name_of(fd);                            \
        if (!name) return real(fd, length);                        \
        pthread_mutex_lock(&order);                                \
        int failed = real(fd, length);                             \
        if (!failed) note('T', name, (long)length, NULL, 0);       \
        pthread_mutex_unlock(&order);                              \
        return failed;                                             \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(function)                                      \
    int function(int fd) {                                  \
        int (*real)(int) = dlsym(RTLD_NEXT, #function);     \
        const char *name = name_of(fd);                     \
        if (!name) return real(fd);                         \
        pthread_mutex_lock(&order);                         \
        int failed = real(fd);                              \
        if (!failed) note('S', name, 0, NULL, 0);           \
        pthread_mutex_unlock(&order);                       \
        return failed;                                      \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    const char *wanted = getenv("UPSHOT_RECORDED_FILE"), *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (!wanted || strncmp(base, wanted, strlen(wanted)) || strstr(base, "-shm")) return real(path);
    pthread_mutex_lock(&order);
    int failed = real(path);
    if (!failed) note('U', base, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return failed;
}
