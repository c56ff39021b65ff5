/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Bursts of packets in and out: one small interface, and who implements it.
 *
 * Part of libtunmtu-io. Packets begin with their IP header on every backend;
 * link-layer headers stay below. A backend is an object with a table of
 * functions; bring your own by putting a struct tmtu_io first in it.
 */
#ifndef TUNMTU_IO_H
#define TUNMTU_IO_H

#include <tunmtu/buf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Packets in one burst, at most. */
#define TMTU_IO_BURST 64
/** Headroom that a receiving backend leaves in front of a packet, in bytes. */
#define TMTU_IO_HEADROOM 128
/** Memory for one packet that holds the longest there is, headroom and room
 *  for growth included. */
#define TMTU_IO_PACKET (TMTU_IO_HEADROOM + 65535 + 65)

/** Queues of one interface, at most. */
#define TMTU_IO_QUEUES 64

/** Room for the sentence that tells what went wrong. */
#define TMTU_IO_WHY 256

/* tmtu_io_packet.flags */
#define TMTU_IO_L2_GROUP                                                       \
    0x1u /**< the link-layer destination was multicast or                      \
              broadcast */
#define TMTU_IO_CUT                                                            \
    0x2u /**< longer than the memory, or than the capture:                     \
              only its beginning is here */
#define TMTU_IO_GSO_CWR                                                        \
    0x4u /**< of a TCP super-packet with CWR: every segment has                \
              it (Accurate ECN), not the first alone */

/** One packet of a burst, in memory of the caller. */
struct tmtu_io_packet {
    struct tmtu_buf buf; /**< begins with the IP header */
    uint64_t time;       /**< when it was received, in nanoseconds: of the
                              capture, or of CLOCK_REALTIME; sending to a capture
                              writes it */
    uint32_t flags;      /**< TMTU_IO_* */
    uint16_t gso_size;   /**< payload bytes of a segment: this is a super-packet
                              of TCP or UDP, a tunnel around it or not (see
                              segment.h); 0: a packet. To be set before sending,
                              like the others */
    uint8_t via[16];     /**< the host on the link that it is sent to, whatever
                              its destination (direct routing): of the packet's
                              family, as in struct tmtu_flow; all zero: where
                              its destination leads. recv writes zeros */
};

struct tmtu_io;

/** What a backend does. Results below zero are -errno, and tmtu_io.why says
 *  what happened: -ENODEV the interface is gone, -ENETDOWN it is down (and may
 *  come up again; until then recv may say so each time), -EIO the capture ends
 * in the middle of a packet or is not one, -ENOSPC and the like what was sent
 * could not be written. */
struct tmtu_io_ops {
    const char *name; /**< of the backend: "tun" */
    /** Receives up to @p n packets: writes each behind TMTU_IO_HEADROOM bytes
     *  of its memory (buf.head to buf.end). Does not wait. Returns how many;
     *  0: none now; -ENODATA: there will never be more. What came before an
     *  error is delivered first. */
    int (*recv)(struct tmtu_io *io, struct tmtu_io_packet *pkts, unsigned n);
    /** Sends @p n packets, in order; of super-packets the segments, where the
     *  backend cannot pass them on. Returns how many it is done with, fewer
     *  than @p n only before an error that the next call returns; those that
     *  the system refused are counted in tmtu_io.send_errors. */
    int (*send)(struct tmtu_io *io, const struct tmtu_io_packet *pkts,
                unsigned n);
    /** Waits until there may be something to receive, a signal came, or
     *  @p timeout_ms are over (-1: as long as the backend likes to). Returns 0,
     *  or -EINTR. */
    int (*wait)(struct tmtu_io *io, int timeout_ms);
    /** Ends it; its memory is given back. Returns 0, or the first error that
     *  lost something. */
    int (*close)(struct tmtu_io *io);
};

/** What every backend begins with. */
struct tmtu_io {
    const struct tmtu_io_ops *ops; /**< what it does */
    int fd;                        /**< readable when there is something to
                                        receive, once recv returned 0; -1: always
                                        try */
    uint32_t mtu;                  /**< longest packet it sends, in bytes: of
                                        the interface when it was opened; 65535
                                        for a capture */
    uint64_t received;             /**< packets */
    uint64_t sent;                 /**< packets */
    uint64_t send_errors;          /**< packets that the system refused */
    uint64_t off_link;             /**< of those: tmtu_io_packet.via is no host
                                        on the link */
    uint64_t skipped;              /**< frames received that were not IP, or
                                        not for this host */
    uint64_t lost;                 /**< packets that came faster than they were
                                        received, as far as the system told */
    char why[TMTU_IO_WHY];         /**< one sentence about the last result below
                                        zero, or packet in off_link */
};

/** Receives; see tmtu_io_ops. @p n is cut to TMTU_IO_BURST. */
static inline int tmtu_io_recv(struct tmtu_io *io, struct tmtu_io_packet *pkts,
                               unsigned n)
{
    return io->ops->recv(io, pkts, n < TMTU_IO_BURST ? n : TMTU_IO_BURST);
}

/** Sends; see tmtu_io_ops. */
static inline int tmtu_io_send(struct tmtu_io *io,
                               const struct tmtu_io_packet *pkts, unsigned n)
{
    return io->ops->send(io, pkts, n);
}

/** Waits; see tmtu_io_ops. */
static inline int tmtu_io_wait(struct tmtu_io *io, int timeout_ms)
{
    return io->ops->wait(io, timeout_ms);
}

/** Ends it; see tmtu_io_ops. NULL is allowed. */
static inline int tmtu_io_close(struct tmtu_io *io)
{
    return io != NULL ? io->ops->close(io) : 0;
}

/**
 * Opens what a user wrote: `tun:NAME`, `afpacket:IFNAME` (with `,gso` behind
 * it, super-packets too) or `pcap:IN.pcap:OUT.pcap`.
 *
 * With `,queues=N` behind a name, one of N queues is opened, by each call
 * another one. The kernel gives all packets of a flow to the same queue, and
 * all fragments of a packet; which of them an ICMP error comes by, and the
 * fragments of a flow, has nothing to do with that. A TUN device must be made
 * by it, or with multi_queue.
 *
 * @param spec as above
 * @param why  TMTU_IO_WHY bytes; receives one sentence on failure
 * @return the backend; NULL on failure
 */
TMTU_API struct tmtu_io *tmtu_io_open(const char *spec, char *why);

/** How many queues @p spec names: 1 if it does not, 0 if it is not right. */
TMTU_API unsigned tmtu_io_queues(const char *spec);

/**
 * TUN (IFF_TUN, IFF_NO_PI): packets that the kernel routes to device @p name,
 * which is created if it does not exist (with CAP_NET_ADMIN), and up. They are
 * no longer than its MTU, and their checksums are complete.
 *
 * With `,gso` behind the name (IFF_VNET_HDR) the kernel does not segment: what
 * it would have segmented comes out of recv as a super-packet, gso_size told,
 * its checksum that of the whole. Super-packets are passed on to the kernel as
 * such (UDP from Linux 6.2 on), others and those in a tunnel as segments.
 *
 * There is no link behind it that hosts are on: a packet with `via` is refused.
 */
TMTU_API struct tmtu_io *tmtu_io_tun(const char *name, char *why);

/**
 * AF_PACKET: IP packets that arrive on interface @p name for this host, in a
 * receive ring; checksums that a local sender left undone are completed, also
 * those inside a tunnel. Frames with a VLAN tag belong to another interface and
 * are skipped. Needs CAP_NET_RAW and Linux 4.6.
 *
 * Packets are sent, many a call, through raw IP sockets bound to the interface:
 * the kernel routes them there and resolves the next hop. It writes the IPv4
 * header checksum, and an identification where that is 0 without DF; it neither
 * fragments nor heeds what it learnt of the path MTU. A packet longer than the
 * interface's MTU is refused.
 *
 * The kernel still sees what arrives as well: who owns an address or forwards
 * must not do so here. And it merges segments (GRO), and between network
 * namespaces it never cuts them (TSO): recv cuts such super-packets, so that
 * packets come as they are, or would be, on a wire. With `,gso` behind the name
 * they come whole, gso_size told, their checksum that of the whole; so does, in
 * both cases, what segment.h cannot cut (a tunnel other than IP in IP).
 * Super-packets are sent as segments.
 *
 * A super-packet that the kernel cannot describe beside it (of SCTP, or UFO) is
 * lost, and makes Linux stop filling the ring: recv finds out, when it is
 * called once more with nothing to receive, and makes another one. Who waits
 * for `fd` by himself calls recv now and then.
 *
 * A packet with `via` goes to that host's link-layer address, which the kernel
 * resolves. Where the kernel's route to it leads through a router, or to this
 * host, the packet is refused, for who received it would send it back (asked
 * for once a second).
 */
TMTU_API struct tmtu_io *tmtu_io_afpacket(const char *name, char *why);

/**
 * Capture files: reads @p in (pcap or pcapng; Ethernet with VLANs, raw IP,
 * Linux cooked or BSD loopback), writes @p out (pcap, raw IP, nanoseconds). The
 * same input gives the same output. Without @p in there is nothing to receive;
 * without @p out what is sent is counted and forgotten. "-" is standard input
 * and output.
 *
 * Next hops (`via`) are not written: a packet in the file is what it would be
 * on the link, but for link-layer headers.
 *
 * Each burst is in the file when send returns. After a failed write the file
 * ends with the last whole burst, and nothing more is written.
 */
TMTU_API struct tmtu_io *tmtu_io_pcap(const char *in, const char *out,
                                      char *why);

/** Memory: packets put in by tmtu_io_memory_feed come out of recv; what is sent
 *  is kept for tmtu_io_memory_take. For tests and embedding. NULL: no memory.
 */
TMTU_API struct tmtu_io *tmtu_io_memory(uint32_t mtu);

/** Makes a copy of the @p n bytes at @p p the next packet to be received.
 *  Returns 0 or -ENOMEM. */
TMTU_API int tmtu_io_memory_feed(struct tmtu_io *io, const uint8_t *p, size_t n,
                                 uint64_t time);

/** Takes the oldest packet that was sent into @p pkt, like recv, but with the
 *  `via` it was sent with. Returns 1, or 0 if there is none. */
TMTU_API int tmtu_io_memory_take(struct tmtu_io *io,
                                 struct tmtu_io_packet *pkt);

#ifdef __cplusplus
}
#endif
#endif
