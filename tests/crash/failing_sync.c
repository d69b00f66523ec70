/* While the file UPSHOT_FAIL_SYNC is there, no database file that this process syncs reaches its disk: fsync and fdatasync fail
   with EIO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd) {
    const char *path = getenv("UPSHOT_FAIL_SYNC");
    char link[64], name[4096];
    if (!path || access(path, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    return strstr(name, ".db") != NULL;
}

#define SYNC(function)                                  \
    int function(int fd) {                              \
        int (*real)(int) = dlsym(RTLD_NEXT, #function); \
        if (!fails(fd)) return real(fd);                  \
        errno = EIO;                                    \
        return -1;                                      \
    }
SYNC(fsync)
SYNC(fdatasync)
