/* SPDX-License-Identifier: MIT */
/* What the program may do no more once its sockets are open. */
#define _GNU_SOURCE
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <cap-ng.h>
#include <seccomp.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

bool privileges_net_admin(void)
{
    return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0;
}

static bool complain(const char *what, int error)
{
    fprintf(stderr, "tunmtu-pmtud: cannot %s: %s\n", what, strerror(error));
    return false;
}

bool privileges_drop(const char *user)
{
    /* Out of the bounding set only CAP_SETPCAP may take anything. */
    const bool all = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    if (user != NULL) {
        const struct passwd *p = getpwnam(user);
        if (p == NULL) {
            fprintf(stderr, "tunmtu-pmtud: --user %.60s: there is none\n",
                    user);
            return false;
        }
        const int rc = capng_change_id(
            (int)p->pw_uid, (int)p->pw_gid,
            CAPNG_DROP_SUPP_GRP | (all ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG));
        if (rc < 0) {
            fprintf(stderr, "tunmtu-pmtud: cannot become %.60s: %s (%d)\n",
                    user, strerror(errno), rc);
            return false;
        }
    }
    if (capng_apply(all && user == NULL ? CAPNG_SELECT_ALL
                                        : CAPNG_SELECT_CAPS) < 0)
        return complain("give up capabilities", errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return complain("give up new privileges", errno);
    return true;
}

/* What the loop does: packets, signals, the clock, and words on standard error
 * with the memory that the C library takes for them. */
static const int loop[] = {
    SCMP_SYS(recvmmsg),       SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom),       SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),        SCMP_SYS(poll),
    SCMP_SYS(ppoll),          SCMP_SYS(read),
    SCMP_SYS(write),          SCMP_SYS(writev),
    SCMP_SYS(close),          SCMP_SYS(bind),
    SCMP_SYS(getsockopt),     SCMP_SYS(getsockname),
    SCMP_SYS(gettimeofday),   SCMP_SYS(clock_gettime),
    SCMP_SYS(mmap),           SCMP_SYS(munmap),
    SCMP_SYS(mremap),         SCMP_SYS(madvise),
    SCMP_SYS(fstat),          SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),          SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
    SCMP_SYS(futex),          SCMP_SYS(exit),
    SCMP_SYS(exit_group),     SCMP_SYS(brk),
};

/* The same on machines of 32 bits, where what takes a time or a length of 64
 * is another call. What of sockets is socketcall somewhere, libseccomp knows.
 */
static const int loop_of_32_bits[] = {
    SCMP_SYS(recvmmsg_time64), SCMP_SYS(clock_gettime64),
    SCMP_SYS(ppoll_time64),    SCMP_SYS(futex_time64),
    SCMP_SYS(mmap2),           SCMP_SYS(_llseek),
    SCMP_SYS(fstat64),         SCMP_SYS(fstatat64),
    SCMP_SYS(sigreturn),
};

static const int file_calls[] = {
    SCMP_SYS(openat), SCMP_SYS(open),     SCMP_SYS(stat),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(statx),
    SCMP_SYS(stat64),
};

static const int http_calls[] = {
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
    SCMP_SYS(accept4),    SCMP_SYS(setsockopt),  SCMP_SYS(shutdown),
};

/* Questions to an interface, of which none changes it. */
static const unsigned long questions[] = {0x8933 /* SIOCGIFINDEX */,
                                          0x8913 /* SIOCGIFFLAGS */,
                                          0x8927 /* SIOCGIFHWADDR */};

static int allow(scmp_filter_ctx f, const int *calls, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
    return rc;
}

static int rules(scmp_filter_ctx f, bool files, bool http)
{
    int rc = allow(f, loop, sizeof loop / sizeof loop[0]);
    if (rc == 0)
        rc = allow(f, loop_of_32_bits,
                   sizeof loop_of_32_bits / sizeof loop_of_32_bits[0]);
    if (rc == 0 && files)
        rc = allow(f, file_calls, sizeof file_calls / sizeof file_calls[0]);
    if (rc == 0 && http)
        rc = allow(f, http_calls, sizeof http_calls / sizeof http_calls[0]);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0] && rc == 0;
         i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_EQ, questions[i], 0));
    return rc;
}

bool privileges_filters(void)
{
    return !SANITIZED;
}

bool privileges_filter(bool files, bool http)
{
    if (!privileges_filters())
        return true;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (f == NULL)
        return complain("make a filter of system calls", ENOMEM);
    int rc = rules(f, files, http);
    if (rc == 0)
        rc = seccomp_load(f);
    seccomp_release(f);
    return rc == 0 || complain("filter system calls", -rc);
}
