/*
 * Preloaded into a process: makes calls on the files of one directory (DISK_DIRECTORY) fail. DISK_STATE is a file of
 * eight 64-bit numbers that both sides read and write while the process runs:
 *   0 calls so far                     1 the number of the call that fails once, from 1; 0 for none
 *   2 how: the errno, or -1 for half a write and then a full disk
 *   3 the letter of the call that has failed, 0 before   4 the errno of every call that writes, 0 for none
 *   5 microseconds that each sync takes longer
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES 4096
#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))
enum { CALLS, FAILS_AT, HOW, FAILED, STANDING, SLOW };
enum { HALF = -1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *directory;
static volatile int64_t *state;
static char is_ours[FILES];
/* Half a write was made: the rest of it finds the disk full. */
static int is_full_next;

__attribute__((constructor)) static void begin(void) {
  directory = getenv("DISK_DIRECTORY");
  const char *file = getenv("DISK_STATE");
  int fd = file == NULL ? -1 : REAL(open64)(file, O_RDWR | O_CLOEXEC);
  void *at = fd < 0 ? MAP_FAILED : REAL(mmap64)(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (directory == NULL || at == MAP_FAILED) {
    fprintf(stderr, "disk: DISK_DIRECTORY and DISK_STATE are not set, or cannot be used\n");
    abort();
  }
  state = at;
}

/* Whether this call fails: 0 where it does not, else its errno, or HALF. */
static int fault(char call, int writes) {
  pthread_mutex_lock(&lock);
  state[CALLS] += 1;
  int how = 0;
  if (writes && state[STANDING] != 0) how = (int)state[STANDING];
  else if (writes && is_full_next) { is_full_next = 0; how = ENOSPC; }
  else if (state[FAILS_AT] != 0 && state[FAILED] == 0 && state[CALLS] >= state[FAILS_AT]) {
    how = (int)state[HOW];
    /* A full disk fails what writes, and only a write can be half done: the next such call it is. */
    if ((how == ENOSPC && !writes) || (how == HALF && call != 'w')) how = 0;
    else state[FAILED] = call;
    if (how == HALF) is_full_next = 1;
  }
  pthread_mutex_unlock(&lock);
  return how;
}

static int tracked(int fd) { return fd >= 0 && fd < FILES && is_ours[fd]; }

#define FAIL_OR(call, writes, failed, otherwise) \
  int how = fault(call, writes); \
  if (how != 0) { errno = how; return failed; } \
  return otherwise;

static int open_tracked(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  if (strncmp(path, directory, strlen(directory)) != 0) return real(path, flags, mode);
  int makes = (flags & O_CREAT) && access(path, F_OK) != 0;
  /* What only reads can be opened on a full disk and on a read-only one; a full one still opens what is there. */
  int writes = makes || (state[STANDING] == EROFS && (flags & O_ACCMODE) != O_RDONLY);
  int how = fault('o', writes);
  if (how != 0) { errno = how; return -1; }
  int fd = real(path, flags, mode);
  if (fd >= 0 && fd < FILES) is_ours[fd] = 1;
  return fd;
}

#define MODE(last) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_tracked(REAL(open), path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_tracked(REAL(open64), path, flags, mode); }

int close(int fd) {
  if (tracked(fd)) is_ours[fd] = 0;
  return REAL(close)(fd);
}

ssize_t pread64(int fd, void *data, size_t count, off64_t offset) {
  if (!tracked(fd)) return REAL(pread64)(fd, data, count, offset);
  FAIL_OR('r', 0, -1, REAL(pread64)(fd, data, count, offset))
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
  if (!tracked(fd)) return REAL(pwrite64)(fd, data, count, offset);
  int how = fault('w', 1);
  if (how == HALF) return REAL(pwrite64)(fd, data, (count + 1) / 2, offset);
  if (how != 0) { errno = how; return -1; }
  return REAL(pwrite64)(fd, data, count, offset);
}

int ftruncate64(int fd, off64_t size) {
  if (!tracked(fd)) return REAL(ftruncate64)(fd, size);
  FAIL_OR('t', 1, -1, REAL(ftruncate64)(fd, size))
}

static int sync_slowly(int (*real)(int), int fd) {
  if (!tracked(fd)) return real(fd);
  if (state[SLOW] > 0) usleep((useconds_t)state[SLOW]);
  FAIL_OR('s', 1, -1, real(fd))
}
int fsync(int fd) { return sync_slowly(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_slowly(REAL(fdatasync), fd); }

int unlink(const char *path) {
  if (strncmp(path, directory, strlen(directory)) != 0) return REAL(unlink)(path);
  /* Removing a file needs no room. */
  FAIL_OR('u', state[STANDING] == EROFS, -1, REAL(unlink)(path))
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (!tracked(fd)) return REAL(mmap64)(at, length, protection, flags, fd, offset);
  FAIL_OR('m', 0, MAP_FAILED, REAL(mmap64)(at, length, protection, flags, fd, offset))
}
