/* SPDX-License-Identifier: MIT */
/* What can be said about path MTUs without having learnt any. */
#include <tunmtu/pmtu_path.h>

/* RFC 1191 §7, table 7-1, from below. */
static const uint16_t pmtu_plateaus[] = {68,   296,  508,   1006,  1492, 2002,
                                         4352, 8166, 17914, 32000, 65535};
enum { PMTU_PLATEAUS = sizeof pmtu_plateaus / sizeof pmtu_plateaus[0] };

uint32_t tmtu_pmtu_plateau(uint32_t length, uint32_t header, uint32_t current)
{
    if (length >= current)
        length = length > header ? length - header : 0;
    size_t i = PMTU_PLATEAUS - 1;
    while (i > 0 && pmtu_plateaus[i] >= length)
        i--;
    return pmtu_plateaus[i];
}

uint32_t tmtu_pmtu_plateau_up(uint32_t mtu, uint32_t link)
{
    size_t i = 0;
    while (i < PMTU_PLATEAUS && pmtu_plateaus[i] <= mtu)
        i++;
    return i < PMTU_PLATEAUS && pmtu_plateaus[i] < link ? pmtu_plateaus[i]
                                                        : link;
}

enum tmtu_pmtu_chain tmtu_pmtu_chain(const struct tmtu_pmtu_path *paths,
                                     size_t n)
{
    enum tmtu_pmtu_chain found = TMTU_PMTU_CHAIN_OK;
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (paths[i].tunnel != paths[j].tunnel)
                continue;
            if (paths[i].tunnel != 0)
                return TMTU_PMTU_CHAIN_RECURSIVE;
            if (tmtu_addr_equal(paths[i].src, paths[j].src) &&
                tmtu_addr_equal(paths[i].dst, paths[j].dst))
                found = TMTU_PMTU_CHAIN_SHARED;
        }
    return found;
}
