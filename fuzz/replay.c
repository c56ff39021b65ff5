/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files, and over all files of folders, so that any
 * compiler can replay a corpus. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"

/* Each returns how many inputs were run; negative, and a message, if one could
 * not be read. */
static int replay_file(const char *name, size_t size)
{
    FILE *f = fopen(name, "rb");
    uint8_t *data = malloc(size ? size : 1); /* exact, for ASan */
    if (f == NULL || data == NULL || fread(data, 1, size, f) != size) {
        perror(name);
        if (f != NULL)
            fclose(f);
        free(data);
        return -1;
    }
    fclose(f);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay(const char *name)
{
    struct stat st;
    if (stat(name, &st) != 0) {
        perror(name);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(name, (size_t)st.st_size);
    DIR *dir = opendir(name);
    if (dir == NULL) {
        perror(name);
        return -1;
    }
    int sum = 0;
    for (struct dirent *e; sum >= 0 && (e = readdir(dir)) != NULL;) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        const int n = snprintf(path, sizeof path, "%s/%s", name, e->d_name);
        const int ran = n < (int)sizeof path ? replay(path) : -1;
        sum = ran < 0 ? ran : sum + ran;
    }
    closedir(dir);
    return sum;
}

int main(int argc, char **argv)
{
    int sum = 0;
    for (int i = 1; i < argc; i++) {
        const int ran = replay(argv[i]);
        if (ran < 0)
            return 1;
        sum += ran;
    }
    printf("%d inputs\n", sum);
    if (sum == 0)
        fprintf(stderr, "%s: nothing to replay\n", argv[0]);
    return sum == 0;
}
