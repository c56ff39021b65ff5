/* SPDX-License-Identifier: MIT */
/* A stack that is understood has one longest inner packet, and its names say
 * again what it is.
 *
 * Input: MTU (2 bytes), then the text. */
#include <string.h>

#include <tunmtu/bytes.h>
#include <tunmtu/stack.h>

#include "harness.h"

/* The names of its headers, as text. */
static void write_back(const struct tmtu_stack *s, char text[TMTU_STACK_TEXT])
{
    size_t n = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const struct tmtu_stack_item *item = &s->item[i];
        char digits[6] = "", *word = digits + 5;
        for (unsigned v = item->bytes; v != 0; v /= 10)
            *--word = (char)('0' + v % 10);
        const char *name = tmtu_stack_header(item->header)->name;
        if (item->header == 0)
            name = word;
        const size_t len = strlen(name);
        must(n + len + 1 < TMTU_STACK_TEXT && n <= item->at);
        if (i > 0)
            text[n++] = '+';
        memcpy(text + n, name, len);
        n += len;
    }
    text[n] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const uint32_t mtu = tmtu_get16(data);
    char *text = malloc(size - 1);
    must(text != NULL);
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';

    struct tmtu_stack s, again, as_was;
    size_t at = SIZE_MAX;
    memset(&s, 0xa5, sizeof s);
    memcpy(&as_was, &s, sizeof s);
    const int rc = tmtu_stack_parse(text, mtu, &at, &s);
    if (rc == 0) {
        must(s.count >= 1 && s.count <= TMTU_STACK_MAX && at == SIZE_MAX);
        must(tmtu_stack_outer(&s, s.inner_mtu + 1) > mtu);
        must(s.inner_mtu == 0 || tmtu_stack_outer(&s, s.inner_mtu) <= mtu);
        must(s.inner_mtu == 0 || s.inner_mtu + s.overhead <= mtu);
        must(s.mss4 <= s.inner_mtu && s.mss6 <= s.mss4);
        must(s.ip6 == (s.inner_mtu >= 1280));

        char written[TMTU_STACK_TEXT];
        write_back(&s, written);
        must(tmtu_stack_parse(written, mtu, NULL, &again) == 0);
        must(again.overhead == s.overhead && again.link == s.link &&
             again.inner_mtu == s.inner_mtu && again.count == s.count);
        if (mtu < 65535) { /* more room is never less */
            must(tmtu_stack_parse(text, mtu + 1, NULL, &again) == 0);
            must(again.inner_mtu >= s.inner_mtu);
        }
    } else {
        must(memcmp(&s, &as_was, sizeof s) == 0);
        must(rc == TMTU_E_ARGUMENT ? mtu == 0 && at == SIZE_MAX
                                   : at <= strlen(text));
    }
    free(text);
    return 0;
}
