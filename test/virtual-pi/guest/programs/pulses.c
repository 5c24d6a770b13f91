// pulses [-t] LINE COUNT HZ: drives a line of the simulated GPIO chip from outside, faster than a shell can. HZ 0: as fast as it
// goes. It never hurries to catch up: the rate is the highest there is. Prints the pulses and the seconds that they took; with
// -t before that a line for each edge, its level and when it was driven (microseconds of the wall clock).
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

static int open_pull(const char *line) {
  char pattern[128];
  glob_t found;
  snprintf(pattern, sizeof pattern, "/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio%s/pull", line);
  if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1) return -1;
  return open(found.gl_pathv[0], O_WRONLY);
}

static void drive(int pull, int level, int tells) {
  const char *text = level ? "pull-up" : "pull-down";
  if (tells) printf("%d %lld\n", level, now(CLOCK_REALTIME) / 1000);
  if (pwrite(pull, text, strlen(text), 0) < 0) {
    perror("pull");
    exit(1);
  }
}

// Until `due`, or not at all when that has passed: then the time goes on from here.
static long long wait_until(long long due) {
  long long at = now(CLOCK_MONOTONIC);
  if (at >= due) return at;
  struct timespec t = {due / SECOND, due % SECOND};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
  return due;
}

int main(int argc, char **argv) {
  int tells = argc > 1 && !strcmp(argv[1], "-t");
  if (argc - tells != 4) {
    fprintf(stderr, "usage: pulses [-t] LINE COUNT HZ\n");
    return 2;
  }
  int pull = open_pull(argv[1 + tells]);
  long count = atol(argv[2 + tells]);
  double hz = atof(argv[3 + tells]);
  long long half = hz > 0 ? SECOND / (2 * hz) : 0;
  if (pull < 0) {
    perror("no such line");
    return 1;
  }
  long long began = now(CLOCK_MONOTONIC), due = began;
  for (long edge = 0; edge < 2 * count; edge++) {
    drive(pull, edge % 2 == 0, tells);
    due = wait_until(due + half);
  }
  printf("%ld pulses in %.3f s\n", count, (now(CLOCK_MONOTONIC) - began) / 1e9);
  return 0;
}
