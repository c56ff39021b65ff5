/* SPDX-License-Identifier: MIT */
/* Counters as Prometheus reads them, and where they are served. */
#include "tmtu_test.h"

#include <stdlib.h>

#include "args.h"
#include "prometheus.h"

static const struct counters_family some = {"some_total", "why", "Some."};
static const struct counters_family other = {"other", NULL, "Other."};

static bool print_mixed(struct counters *to, void *arg)
{
    const struct counters_label about[] = {{"of", "a\\b\"c\nd"}, {NULL, NULL}};
    (void)arg;
    counters_line(to, &some, "g", "x.first", 1);
    counters_line(to, &other, "", "other", UINT64_MAX);
    counters_line(to, NULL, "", "of the file alone", 5);
    counters_line(to, &some, "", "second", 2);
    to->about = about;
    counters_line(to, &some, "", "third", 3);
    to->about = NULL;
    counters_line(to, &some, "", "fourth", 4);
    return true;
}

static void a_family_stays_together_and_labels_are_escaped(void **state)
{
    size_t n;
    char *text = prometheus_text("x", print_mixed, NULL, &n);
    (void)state;
    assert_non_null(text);
    assert_string_equal(text, "# HELP tunmtu_x_some_total Some.\n"
                              "# TYPE tunmtu_x_some_total counter\n"
                              "tunmtu_x_some_total{why=\"first\"} 1\n"
                              "tunmtu_x_some_total{why=\"second\"} 2\n"
                              "tunmtu_x_some_total{of=\"a\\\\b\\\"c\\nd\","
                              "why=\"third\"} 3\n"
                              "tunmtu_x_some_total{why=\"fourth\"} 4\n"
                              "# HELP tunmtu_x_other Other.\n"
                              "# TYPE tunmtu_x_other gauge\n"
                              "tunmtu_x_other 18446744073709551615\n");
    assert_int_equal(n, strlen(text));
    free(text);
}

static bool print_half(struct counters *to, void *arg)
{
    (void)arg;
    counters_line(to, &other, "", "other", 1);
    return false;
}

static bool print_too_many(struct counters *to, void *arg)
{
    const struct counters_family *families = arg;
    for (size_t i = 0; i < 200; i++)
        counters_line(to, &families[i], "", "x", i);
    return true;
}

static void half_of_them_is_nothing(void **state)
{
    static struct counters_family families[200];
    size_t n;
    (void)state;
    for (size_t i = 0; i < 200; i++)
        families[i] = other;
    assert_null(prometheus_text("x", print_half, NULL, &n));
    assert_null(prometheus_text("x", print_too_many, families, &n));
}

static void where_to_listen(void **state)
{
    static const struct {
        const char *word, *addr;
        uint16_t port;
    } rows[] = {
        {"9100", "127.0.0.1", 9100},
        {":9100", "127.0.0.1", 9100},
        {"0", "127.0.0.1", 0},
        {"0.0.0.0:1", "0.0.0.0", 1},
        {"10.0.0.3:65535", "10.0.0.3", 65535},
        {"[::1]:80", "::1", 80},
        {"[::]:80", "::", 80},
    };
    static const char *const wrong[] = {
        "",
        ":",
        "65536",
        "10.0.0.3",
        "10.0.0.3:",
        "[::1]",
        "::1",
        "::1:80",
        "[::1]:",
        "[::1]80",
        "localhost:80",
        "10.0.0.3:http",
        "10.0.0.3:80 ",
        "[10.0.0.3]:80",
        "10.0.0:80",
        "-1",
        "[::1]:80:80",
        "10.0.0.3:65536",
    };
    (void)state;
    for (size_t i = 0; i < TEST_ROWS(rows); i++) {
        struct args_listen at = {.wanted = false};
        char text[ARGS_ADDR];
        assert_true(args_listen(rows[i].word, &at));
        assert_string_equal(args_addr_text(at.addr, text), rows[i].addr);
        assert_int_equal(at.port, rows[i].port);
        assert_true(at.wanted);
    }
    for (size_t i = 0; i < TEST_ROWS(wrong); i++) {
        struct args_listen at, as_it_was;
        memset(&at, 0xa5, sizeof at);
        as_it_was = at;
        if (args_listen(wrong[i], &at))
            fail_msg("\"%s\" is taken", wrong[i]);
        assert_memory_equal(&at, &as_it_was, sizeof at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_stays_together_and_labels_are_escaped),
        cmocka_unit_test(half_of_them_is_nothing),
        cmocka_unit_test(where_to_listen),
    };
    return cmocka_run_group_tests_name("prometheus", tests, NULL, NULL);
}
