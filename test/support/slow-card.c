// LD_PRELOAD: a card that syncs slowly (SYNC_MS), and one that fails: while the file FULL_WHILE exists, writes to files
// whose path contains CARD_FILES (broker.db) fail with the errno that is in it, ENOSPC if none is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int failure(int fd) {
  const char *flag = getenv("FULL_WHILE");
  if (!flag || access(flag, F_OK)) return 0;
  const char *files = getenv("CARD_FILES");
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  if (!strstr(path, files ? files : "broker.db")) return 0;
  int code = ENOSPC;
  FILE *file = fopen(flag, "r");
  if (file) {
    if (fscanf(file, "%d", &code) != 1) code = ENOSPC;
    fclose(file);
  }
  return code;
}

static void wait_for_card(void) {
  const char *ms = getenv("SYNC_MS");
  if (!ms) return;
  long n = atol(ms);
  struct timespec t = {n / 1000, n % 1000 * 1000000};
  nanosleep(&t, 0);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  wait_for_card();
  int code = failure(fd);
  if (code && code != ENOSPC) {
    errno = code;
    return -1;
  }
  return real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  wait_for_card();
  return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  int code = failure(fd);
  if (code) {
    errno = code;
    return -1;
  }
  return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite");
  int code = failure(fd);
  if (code) {
    errno = code;
    return -1;
  }
  return real(fd, bytes, count, at);
}
