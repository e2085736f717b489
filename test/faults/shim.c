/*
 * Makes the journal's file calls fail, in every process of a server, from outside: a library to preload.
 *
 * HOOPGUARD_FAULT_CONTROL names a file of 4096 bytes that all processes map and the test writes:
 *
 *     0  u64  fault: 0 none, 1 EIO, 2 ENOSPC, 3 a short write (of writes alone), 4 SIGKILL, 5 a full disk (whatever
 *             needs room fails), 6 a failed flush (EIO of fdatasync alone)
 *     8  u64  at which of the calls that can fail so, counted from 1; 0: at none, only count
 *    16  u64  whether it goes on failing from there
 *    24  u64  calls so far
 *    32  u64  calls that failed
 *    64  the first call that failed, as text: its name and the file's
 *
 * A call counts when its file lies in a directory whose path has HOOPGUARD_FAULT_DIRECTORY in it, and not in the
 * policy's, which is no part of the journal.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum fault { NONE, IO_ERROR, NO_SPACE, SHORT_WRITE, KILL, FULL, UNFLUSHED };

struct control {
    volatile uint64_t fault, at, sticky;
    uint64_t calls, hits;
    char unused[24];
    char first[256];
};

static struct control *control;
static const char *directory;

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("HOOPGUARD_FAULT_CONTROL");
    const char *wanted = getenv("HOOPGUARD_FAULT_DIRECTORY");
    if (path == NULL || wanted == NULL) return;
    /* A server writes its process's title over its environment. */
    directory = strdup(wanted);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at != MAP_FAILED) control = at;
}

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    buffer[length > 0 ? length : 0] = '\0';
    return buffer;
}

/* Whether this call is one that fails, and how. `grows`: it needs room that the file does not have yet. */
static enum fault turn(const char *call, const char *path, int grows) {
    if (control == NULL || control->fault == NONE || strstr(path, directory) == NULL ||
        strstr(path, "/policy/") != NULL)
        return NONE;
    if (control->fault == SHORT_WRITE && strcmp(call, "pwrite") != 0) return NONE;
    if (control->fault == UNFLUSHED && strcmp(call, "fdatasync") != 0) return NONE;
    uint64_t number = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST);
    uint64_t at = control->at;
    if (at == 0 || number < at || (number > at && !control->sticky)) return NONE;
    if (control->fault == FULL && !grows) return NONE;
    if (__atomic_fetch_add(&control->hits, 1, __ATOMIC_SEQ_CST) == 0) {
        const char *name = strrchr(path, '/');
        snprintf(control->first, sizeof control->first, "%s %s", call, name != NULL ? name + 1 : path);
    }
    return (enum fault)control->fault;
}

/* 0, or the error to report. A process that is killed goes no further. */
static int error_for(enum fault fault) {
    if (fault == KILL) kill(getpid(), SIGKILL);
    if (fault == IO_ERROR || fault == UNFLUSHED) return EIO;
    if (fault == NO_SPACE || fault == FULL) return ENOSPC;
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int judge(const char *call, const char *path, int grows) { return error_for(turn(call, path, grows)); }

static int judge_file(const char *call, int file, int grows) {
    char path[512];
    if (control == NULL || control->fault == NONE) return 0;
    return judge(call, path_of(file, path, sizeof path), grows);
}

static int opened(const char *path, int flags) {
    if ((flags & O_CREAT) == 0) return judge("open", path, 0);
    struct stat known;
    return judge("create", path, stat(path, &known) != 0);
}

#define OPEN(name)                                            \
    int name(const char *path, int flags, ...) {              \
        mode_t mode = 0;                                      \
        if (flags & (O_CREAT | O_TMPFILE)) {                  \
            va_list rest;                                     \
            va_start(rest, flags);                            \
            mode = va_arg(rest, mode_t);                      \
            va_end(rest);                                     \
        }                                                     \
        int error = control != NULL ? opened(path, flags) : 0; \
        if (error != 0) {                                     \
            errno = error;                                    \
            return -1;                                        \
        }                                                     \
        return REAL(name)(path, flags, mode);                 \
    }
OPEN(open)
OPEN(open64)

static ssize_t put(int file, const void *bytes, size_t size, off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
    char path[512];
    struct stat now;
    if (control == NULL || control->fault == NONE) return real(file, bytes, size, offset);
    int grows = fstat(file, &now) == 0 && offset + (off_t)size > now.st_size;
    enum fault fault = turn("pwrite", path_of(file, path, sizeof path), grows);
    if (fault == NONE) return real(file, bytes, size, offset);
    /* Half of it is written whatever happens then. */
    size_t half = fault == FULL ? 0 : size / 2;
    ssize_t done = half > 0 ? real(file, bytes, half, offset) : 0;
    if (fault == SHORT_WRITE && done > 0) return done;
    int error = error_for(fault);
    if (error == 0) return real(file, bytes, size, offset);
    errno = error;
    return -1;
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) { return put(file, bytes, size, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) { return put(file, bytes, size, offset); }

static int allocate(int file, off_t offset, off_t size) {
    int (*real)(int, off_t, off_t) = dlsym(RTLD_NEXT, "posix_fallocate64");
    int error = judge_file("fallocate", file, 1);
    return error != 0 ? error : real(file, offset, size);
}
int posix_fallocate(int file, off_t offset, off_t size) { return allocate(file, offset, size); }
int posix_fallocate64(int file, off64_t offset, off64_t size) { return allocate(file, offset, size); }

#define CALL(call, name, grows, parameters, pass, judged) \
    int name parameters {                                 \
        int error = judged(call, first, grows);           \
        if (error != 0) {                                 \
            errno = error;                                \
            return -1;                                    \
        }                                                 \
        return REAL(name) pass;                           \
    }
CALL("fdatasync", fdatasync, 0, (int first), (first), judge_file)
CALL("fsync", fsync, 0, (int first), (first), judge_file)
CALL("ftruncate", ftruncate, 0, (int first, off_t size), (first, size), judge_file)
CALL("ftruncate", ftruncate64, 0, (int first, off64_t size), (first, size), judge_file)
CALL("rename", rename, 0, (const char *first, const char *to), (first, to), judge)
CALL("unlink", unlink, 0, (const char *first), (first), judge)
CALL("mkdir", mkdir, 1, (const char *first, mode_t mode), (first, mode), judge)
