/* SPDX-License-Identifier: MIT */
/* A kind of tunnel is what it puts between the outer IP header and the inner
 * packet, its shim: how long it is, how it is written, how it is read. One file
 * a kind; encap.c does the rest. */
#ifndef TMTU_ENCAP_KINDS_H
#define TMTU_ENCAP_KINDS_H

#include <tunmtu/encap.h>

/* A shim to be written. The inner packet stands behind it already. */
struct encap_shim {
    const struct tmtu_encap *encap;
    const struct tmtu_encap_each *each;
    uint32_t len;   /* bytes from the shim to the end of the packet */
    uint32_t head;  /* bytes of all outer headers */
    uint32_t proto; /* in the outer IP header */
    uint8_t ipver;  /* of the inner packet */
};

/* size: bytes of the shim that these options make; negative: they are not of
 * this kind. read: takes the shim off v, which ends where the outer IP packet
 * does; *ipver: the inner version that it announces, 0 if none. */

TMTU_LOCAL int tmtu_encap_gre_size(const struct tmtu_encap *encap);
TMTU_LOCAL void tmtu_encap_gre_write(uint8_t *p, const struct encap_shim *shim);
TMTU_LOCAL enum tmtu_reason tmtu_encap_gre_read(struct tmtu_view *v,
                                                const struct tmtu_encap *encap,
                                                uint8_t *ipver);

TMTU_LOCAL int tmtu_encap_gue_size(const struct tmtu_encap *encap);
TMTU_LOCAL void tmtu_encap_gue_write(uint8_t *p, const struct encap_shim *shim);
TMTU_LOCAL enum tmtu_reason tmtu_encap_gue_read(struct tmtu_view *v,
                                                uint8_t *ipver);

/* The UDP header that the last three kinds begin with. Written last, because
 * its checksum covers what follows. */
TMTU_LOCAL int tmtu_encap_udp_size(const struct tmtu_encap *encap);
TMTU_LOCAL void tmtu_encap_udp_write(uint8_t *p, const struct encap_shim *shim);
TMTU_LOCAL enum tmtu_reason tmtu_encap_udp_read(struct tmtu_view *v,
                                                const struct tmtu_pkt *outer,
                                                const struct tmtu_encap *encap);

#endif
