/*
 * Preloaded into a process: writes down everything it does to the files of one directory (JOURNAL_DIRECTORY) in the
 * order in which it does it, and when it writes an acknowledgement to a socket, into JOURNAL_FILE.
 *
 * A record: kind (1 byte), 3 bytes of padding, length of the path (4), offset (8), length of the data (8), path, data.
 * Kinds: L this library was loaded; O a file was made; W written; T cut to offset; S synced; D the directory synced;
 * U unlinked; R renamed (data: the new path); A an acknowledgement is about to be written (offset: the peer's port).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096
#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static const char *directory;
static int journal = -1;
/* The path of each open file of the directory. */
static char *paths[FILES];

static void stop(const char *why) {
  fprintf(stderr, "journal: %s\n", why);
  abort();
}

static void record(char kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
  unsigned char head[24] = {(unsigned char)kind};
  uint32_t path_length = (uint32_t)strlen(path);
  memcpy(head + 4, &path_length, 4);
  memcpy(head + 8, &offset, 8);
  memcpy(head + 16, &length, 8);
  struct iovec parts[3] = {{head, 24}, {(void *)path, path_length}, {(void *)data, length}};
  if (REAL(writev)(journal, parts, 3) != (ssize_t)(24 + path_length + length)) stop("the journal cannot be written");
}

__attribute__((constructor)) static void begin(void) {
  directory = getenv("JOURNAL_DIRECTORY");
  const char *file = getenv("JOURNAL_FILE");
  if (directory == NULL || file == NULL) stop("JOURNAL_DIRECTORY and JOURNAL_FILE are not set");
  journal = REAL(open64)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal < 0) stop("the journal cannot be opened");
  record('L', "", 0, NULL, 0);
}

/* The index of the write-ahead log is memory: it is made again whenever the database is opened. */
static int is_ours(const char *path) {
  size_t length = strlen(path);
  if (length > 4 && strcmp(path + length - 4, "-shm") == 0) return 0;
  size_t ours = strlen(directory);
  return strncmp(path, directory, ours) == 0 && (path[ours] == '/' || path[ours] == '\0');
}

static const char *path_of(int fd) { return fd >= 0 && fd < FILES ? paths[fd] : NULL; }

static int note_open(int fd, const char *path, int flags, int existed) {
  if (fd < 0 || !is_ours(path)) return fd;
  if (fd >= FILES) stop("too many files are open");
  free(paths[fd]);
  paths[fd] = strdup(path);
  if (!existed) record('O', path, 0, NULL, 0);
  if (flags & O_TRUNC) record('T', path, 0, NULL, 0);
  return fd;
}

static int open_and_note(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  int existed = access(path, F_OK) == 0;
  int fd = note_open(real(path, flags, mode), path, flags, existed);
  int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE(last) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_and_note(REAL(open), path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_and_note(REAL(open64), path, flags, mode); }

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (path_of(fd) != NULL) { free(paths[fd]); paths[fd] = NULL; }
  pthread_mutex_unlock(&lock);
  return REAL(close)(fd);
}

/* The call and its record are one step: no other call on these files comes between. */
#define NOTED(call, note) \
  pthread_mutex_lock(&lock); \
  long result = (long)(call); \
  int error = errno; \
  if (result >= 0) { note; } \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return result;

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
  const char *path = path_of(fd);
  if (path == NULL) return REAL(pwrite64)(fd, data, count, offset);
  NOTED(REAL(pwrite64)(fd, data, count, offset), record('W', path, (uint64_t)offset, data, (uint64_t)result))
}

int ftruncate64(int fd, off64_t size) {
  const char *path = path_of(fd);
  if (path == NULL) return REAL(ftruncate64)(fd, size);
  NOTED(REAL(ftruncate64)(fd, size), record('T', path, (uint64_t)size, NULL, 0))
}

static int sync_noted(int (*real)(int), int fd) {
  const char *path = path_of(fd);
  if (path == NULL) return real(fd);
  NOTED(real(fd), record(strcmp(path, directory) == 0 ? 'D' : 'S', path, 0, NULL, 0))
}
int fsync(int fd) { return sync_noted(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_noted(REAL(fdatasync), fd); }

int unlink(const char *path) {
  if (!is_ours(path)) return REAL(unlink)(path);
  NOTED(REAL(unlink)(path), record('U', path, 0, NULL, 0))
}

int rename(const char *from, const char *to) {
  if (!is_ours(from) && !is_ours(to)) return REAL(rename)(from, to);
  NOTED(REAL(rename)(from, to), record('R', from, 0, to, strlen(to)))
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (path_of(fd) != NULL && (protection & PROT_WRITE) && (flags & MAP_SHARED)) stop("a file is written through memory");
  return REAL(mmap64)(at, length, protection, flags, fd, offset);
}

static const char SUCCESS[] = "\"resultCode\":\"SUCCESS\"";

/* Noted before the first byte leaves: what is durable only later was acknowledged too early. */
static void note_acknowledgement(int fd, const struct iovec *parts, int count) {
  for (int part = 0; part < count; part += 1) {
    if (memmem(parts[part].iov_base, parts[part].iov_len, SUCCESS, sizeof SUCCESS - 1) == NULL) continue;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.ss_family != AF_INET) continue;
    pthread_mutex_lock(&lock);
    record('A', "", ntohs(((struct sockaddr_in *)&peer)->sin_port), NULL, 0);
    pthread_mutex_unlock(&lock);
    return;
  }
}

/* The path of a file that is open; a pipe or socket may have the number of one that was closed past us. */
static const char *path_of_file(int fd) {
  if (path_of(fd) != NULL && lseek64(fd, 0, SEEK_CUR) < 0) {
    pthread_mutex_lock(&lock);
    free(paths[fd]);
    paths[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return path_of(fd);
}

ssize_t write(int fd, const void *data, size_t count) {
  const char *path = path_of_file(fd);
  if (path == NULL) {
    struct iovec part = {(void *)data, count};
    note_acknowledgement(fd, &part, 1);
    return REAL(write)(fd, data, count);
  }
  off64_t at = lseek64(fd, 0, SEEK_CUR);
  NOTED(REAL(write)(fd, data, count), record('W', path, (uint64_t)at, data, (uint64_t)result))
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (path_of_file(fd) != NULL) stop("writev is not recorded");
  note_acknowledgement(fd, parts, count);
  return REAL(writev)(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  if (path_of(fd) != NULL) stop("pwritev is not recorded");
  return REAL(pwritev)(fd, parts, count, offset);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  note_acknowledgement(fd, message->msg_iov, (int)message->msg_iovlen);
  return REAL(sendmsg)(fd, message, flags);
}
