/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Linkage and result codes: what every other header needs.
 */
#ifndef TUNMTU_API_H
#define TUNMTU_API_H

#ifdef __cplusplus
extern "C" {
#endif

/** Linkage. Predefine as `static inline` to build the library into one object
 *  (lib/core.c in a BPF program, lib/all.c in a plug-in). */
#ifdef TMTU_API
#define TMTU_LOCAL TMTU_API /**< between the library's own files */
#elif defined(__GNUC__)
#define TMTU_API   __attribute__((visibility("default")))
#define TMTU_LOCAL __attribute__((visibility("hidden")))
#else
#define TMTU_API
#define TMTU_LOCAL
#endif

/** The result must be looked at. */
#if defined(__GNUC__)
#define TMTU_MUST_CHECK __attribute__((warn_unused_result))
#else
#define TMTU_MUST_CHECK
#endif

/** Zero or more is success. Values are part of the ABI; never renumber. */
enum tmtu_error {
    TMTU_E_IGNORED = -1,     /**< fine, but not for this function */
    TMTU_E_TRUNCATED = -2,   /**< bytes end too early */
    TMTU_E_MALFORMED = -3,   /**< bytes contradict the RFC */
    TMTU_E_NOSPACE = -4,     /**< no room in the caller's memory */
    TMTU_E_ARGUMENT = -5,    /**< the caller's values contradict each other */
    TMTU_E_CHECKSUM = -6,    /**< a checksum that was verified is wrong */
    TMTU_E_LIMIT = -7,       /**< more headers or options than the bound */
    TMTU_E_UNSUPPORTED = -8, /**< valid, but not handled (an IPv6 jumbogram) */
    TMTU_E_FORBIDDEN = -9    /**< an RFC forbids it (fragmenting with DF set) */
};

/** What an error means, in English; never NULL. @p error is a negative
 *  enum tmtu_error; other values give "unknown error". */
TMTU_API const char *tmtu_strerror(int error);

#ifdef __cplusplus
}
#endif
#endif
