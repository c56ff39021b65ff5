/* SPDX-License-Identifier: MIT */
/* Result codes in words. */
#include <tunmtu/api.h>

const char *tmtu_strerror(int error)
{
    if (error < TMTU_E_FORBIDDEN || error > TMTU_E_IGNORED)
        return "unknown error";
    switch ((enum tmtu_error)error) { /* no default: the compiler counts */
    case TMTU_E_IGNORED:
        return "not for this function";
    case TMTU_E_TRUNCATED:
        return "bytes end too early";
    case TMTU_E_MALFORMED:
        return "bytes contradict the RFC";
    case TMTU_E_NOSPACE:
        return "no room in the caller's memory";
    case TMTU_E_ARGUMENT:
        return "arguments contradict each other";
    case TMTU_E_CHECKSUM:
        return "wrong checksum";
    case TMTU_E_LIMIT:
        return "more headers or options than the bound";
    case TMTU_E_UNSUPPORTED:
        return "valid, but not supported";
    case TMTU_E_FORBIDDEN:
        return "forbidden by an RFC";
    }
    return "unknown error";
}
