// LD_PRELOAD: a disk that says it has synced and has not; what a test of power cuts must notice.
int fsync(int fd) {
  (void)fd;
  return 0;
}

int fdatasync(int fd) {
  (void)fd;
  return 0;
}
