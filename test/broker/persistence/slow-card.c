// LD_PRELOAD: a card that syncs slowly (SYNC_MS), and that is full while the file FULL_WHILE exists.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  const char *ms = getenv("SYNC_MS");
  if (ms) {
    long n = atol(ms);
    struct timespec t = {n / 1000, n % 1000 * 1000000};
    nanosleep(&t, 0);
  }
  return real(fd);
}

static int full(int fd) {
  const char *flag = getenv("FULL_WHILE");
  if (!flag || access(flag, F_OK)) return 0;
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return strstr(path, "broker.db") != 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (full(fd)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite");
  if (full(fd)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, count, at);
}
