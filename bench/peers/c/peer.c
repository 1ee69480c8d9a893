/* The limit: the DLL's own loops, timed by a Windows program of a hundred lines. It also holds the Wine prefix open for the
   other peers. Protocol as in ../README: a line "NAME SECONDS" in, a line of JSON out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include "../../dll/bench.h"

#define DOUBLES 131072
#define ROWS 1000000

static int *a, *b, *out;
static double *doubles, *seeds, *iterated;
static struct row *rows;
static float tens[20];
static struct fields fields = {1, 2, 3, 4, 5, 6, 7, 8.5f, 9.5, 0};
static int16_t pixels[9] = {253, 252, 254, 252, 254, 239, 252, 246, 166}, filtered[9];
static struct image in = {pixels, 3, 3}, result = {filtered, 3, 3};

static void add(int n) { loop_add(a, b, out, n); }
static void ten_floats(int n) { loop_ten(tens, tens + 10, n); }
static void ten_fields(int n) { loop_fields(&fields, n); }
static void mebibyte(int n) { loop_negate(doubles, DOUBLES, n); }
static void work(int n) { loop_iterate(seeds, iterated, n); }
static void callback(int n) { loop_callback(n); }
static void filter(int n) { loop_filter(&in, &result, n); }
static void all_rows(int n) { loop_rows(rows, n); }

/* `most`: as many calls as one pass can hold. */
static const struct {
  const char *name;
  void (*run)(int);
  int most;
} measures[] = {
    {"add", add, ROWS},         {"ten", ten_floats, 1000000},    {"fields", ten_fields, 1000000},
    {"doubles", mebibyte, 100}, {"callback", callback, 1000000}, {"filter", filter, 100000},
    {"rows", all_rows, ROWS},   {"work", work, 10000},
};

static double now(void) {
  LARGE_INTEGER t, f;
  QueryPerformanceCounter(&t);
  QueryPerformanceFrequency(&f);
  return (double)t.QuadPart / (double)f.QuadPart;
}

int main(void) {
  char line[256], name[64];
  double seconds;
  a = calloc(ROWS, sizeof *a);
  b = calloc(ROWS, sizeof *b);
  out = calloc(ROWS, sizeof *out);
  doubles = calloc(DOUBLES, sizeof *doubles);
  seeds = calloc(ROWS, sizeof *seeds);
  iterated = calloc(ROWS, sizeof *iterated);
  rows = calloc(ROWS, sizeof *rows);
  for (int i = 0; i < ROWS; i++) a[i] = i, b[i] = 2 * i, out[i] = 0, rows[i].id = i, seeds[i] = (i + 0.5) / ROWS;
  printf("{\"ready\":true,\"versions\":{\"compiler\":\"gcc " __VERSION__ "\"}}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%63s %lf", name, &seconds) != 2) continue;
    size_t i = 0, count = sizeof measures / sizeof *measures;
    while (i < count && strcmp(measures[i].name, name)) i++;
    if (i == count) {
      printf("{\"name\":\"%s\",\"missing\":\"no such measure here\"}\n", name);
    } else {
      measures[i].run(measures[i].most); /* warm */
      double start = now(), end = start, calls = 0;
      do {
        measures[i].run(measures[i].most);
        calls += measures[i].most;
        end = now();
      } while (end - start < seconds);
      printf("{\"name\":\"%s\",\"us_per_call\":%.6f,\"calls\":%.0f}\n", name, (end - start) * 1e6 / calls, calls);
    }
    fflush(stdout);
  }
  return 0;
}
