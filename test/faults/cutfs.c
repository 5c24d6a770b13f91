// A disk of one file, through FUSE, that logs every write and every flush, so that what a power cut would leave at any
// moment can be made again.    cc cutfs.c -o cutfs $(pkg-config fuse3 --cflags --libs);    cutfs BACKING LOG MOUNTPOINT
// Log: records of {type, bytes, offset, CLOCK_MONOTONIC in ns}, those of type 1 (write) with their bytes behind them.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, FLUSH = 2 };

struct record {
  uint32_t type;
  uint32_t bytes;
  uint64_t offset;
  uint64_t ns;
};

static const char *const NAME = "/disk.img";
static int backing;
static off_t size;
static FILE *event_log;

static void note(uint32_t type, const char *bytes, size_t count, off_t offset) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct record record = {type, count, offset, now.tv_sec * 1000000000ull + now.tv_nsec};
  fwrite(&record, sizeof record, 1, event_log);
  if (bytes) fwrite(bytes, count, 1, event_log);
  if (type == FLUSH) fflush(event_log);
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info) {
  (void)info;
  memset(st, 0, sizeof *st);
  if (!strcmp(path, "/")) {
    st->st_mode = S_IFDIR | 0755;
    st->st_nlink = 2;
    return 0;
  }
  if (strcmp(path, NAME)) return -ENOENT;
  st->st_mode = S_IFREG | 0600;
  st->st_nlink = 1;
  st->st_size = size;
  st->st_blksize = 4096;
  st->st_blocks = size / 512;
  return 0;
}

static int list(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                enum fuse_readdir_flags flags) {
  (void)path, (void)offset, (void)info, (void)flags;
  fill(buffer, NAME + 1, 0, 0, 0);
  return 0;
}

static int open_disk(const char *path, struct fuse_file_info *info) {
  (void)info;
  return strcmp(path, NAME) ? -ENOENT : 0;
}

static int read_disk(const char *path, char *bytes, size_t count, off_t offset, struct fuse_file_info *info) {
  (void)path, (void)info;
  ssize_t got = pread(backing, bytes, count, offset);
  return got < 0 ? -errno : got;
}

static int write_disk(const char *path, const char *bytes, size_t count, off_t offset, struct fuse_file_info *info) {
  (void)path, (void)info;
  note(WRITE, bytes, count, offset);
  ssize_t put = pwrite(backing, bytes, count, offset);
  return put < 0 ? -errno : put;
}

static int flush_disk(const char *path, int data_only, struct fuse_file_info *info) {
  (void)path, (void)data_only, (void)info;
  note(FLUSH, 0, 0, 0);
  return 0;
}

static int allocate(const char *path, int mode, off_t offset, off_t count, struct fuse_file_info *info) {
  (void)path, (void)mode, (void)offset, (void)count, (void)info;
  return -EOPNOTSUPP;
}

static int set_size(const char *path, off_t wanted, struct fuse_file_info *info) {
  (void)path, (void)info;
  return wanted == size ? 0 : -EPERM;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  backing = open(argv[1], O_RDWR);
  struct stat st;
  if (backing < 0 || fstat(backing, &st)) return 1;
  size = st.st_size;
  event_log = fopen(argv[2], "wb");
  if (!event_log) return 1;
  setvbuf(event_log, 0, _IOFBF, 1 << 20);
  static const struct fuse_operations operations = {
      .getattr = get_attributes,
      .readdir = list,
      .open = open_disk,
      .read = read_disk,
      .write = write_disk,
      .fsync = flush_disk,
      .fallocate = allocate,
      .truncate = set_size,
  };
  char *arguments[] = {argv[0], argv[3], "-f", "-s", 0};
  int code = fuse_main(4, arguments, &operations, 0);
  fclose(event_log);
  return code;
}
