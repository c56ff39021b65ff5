/* SPDX-License-Identifier: MIT */
/* struct virtio_net_hdr: what the kernel tells beside a packet, in our words.
 */
#ifndef TMTU_IO_VNET_H
#define TMTU_IO_VNET_H

#include <linux/virtio_net.h>

#include <tunmtu/ip.h>

#include "io_own.h"

/* The gso_size of a received packet, 0 if it is no super-packet; adds to
 * `flags` what else there is to tell of one. */
uint16_t tmtu_io_vnet_gso(const struct virtio_net_hdr *v, uint32_t *flags);

/* Finishes a checksum that was left to the hardware. `before`: bytes of the
 * link-layer header, from which the kernel counts. */
void tmtu_io_vnet_finish(const struct virtio_net_hdr *v, size_t before,
                         struct tmtu_io_packet *pkt);

/* Describes a super-packet to be sent, for which `check` stands where its
 * checksum is: at csum_start + csum_offset. `uso`: UDP is known there. Returns
 * 0; -1: it cannot be sent as it is. */
int tmtu_io_vnet_make(const struct tmtu_io_packet *pkt, int uso,
                      struct virtio_net_hdr *v, uint8_t check[2]);

#endif
