/* SPDX-License-Identifier: MIT */
/* Counters that several programs have. */
#include "counters.h"

void counters_reass(struct counters *to, const struct tmtu_reass_counters *c)
{
    static const struct counters_family fragments = {
        "reassembly_fragments_total", NULL,
        "Fragments that were given to reassembly."};
    static const struct counters_family packets = {
        "reassembled_packets_total", NULL, "Packets put together again."};
    static const struct counters_family failures = {
        "reassembly_failures_total", "reason",
        "Packets that were not put together again; fragments for the reason "
        "malformed."};

    counters_line(to, &fragments, "reass", "fragments", c->fragments);
    counters_line(to, &packets, "reass", "packets", c->packets);
    counters_line(to, &failures, "reass", "timeouts", c->timeouts);
    counters_line(to, &failures, "reass", "overlaps", c->overlaps);
    counters_line(to, &failures, "reass", "limits", c->limits);
    counters_line(to, &failures, "reass", "malformed", c->malformed);
    counters_line(to, &failures, "reass", "ecn", c->ecn);
    counters_line(to, &failures, "reass", "evicted", c->evicted);
}

const struct counters_family counters_received = {
    "io_received_packets_total", NULL, "Packets taken from an interface."};
const struct counters_family counters_sent = {"io_sent_packets_total", NULL,
                                              "Packets given to an interface."};
const struct counters_family counters_send_errors = {
    "io_send_errors_total", NULL, "Packets that the kernel refused to send."};
const struct counters_family counters_skipped = {
    "io_skipped_packets_total", NULL,
    "What came and was no IP packet, or not whole."};
const struct counters_family counters_lost = {
    "io_lost_packets_total", NULL,
    "Packets that the kernel dropped because they were not taken in time."};

void counters_io(struct counters *to, const char *group,
                 const struct tmtu_io *io)
{
    static const struct counters_family off_link = {
        "io_off_link_packets_total", NULL,
        "Packets for a host that is not on the link, not sent."};
    const struct counters_label about[] = {{"interface", group}, {NULL, NULL}};

    to->about = about;
    counters_line(to, &counters_received, group, "received", io->received);
    counters_line(to, &counters_sent, group, "sent", io->sent);
    counters_line(to, &counters_send_errors, group, "send_errors",
                  io->send_errors);
    counters_line(to, &off_link, group, "off_link", io->off_link);
    counters_line(to, &counters_skipped, group, "skipped", io->skipped);
    counters_line(to, &counters_lost, group, "lost", io->lost);
    to->about = NULL;
}

void counters_flows(struct counters *to, const char *group,
                    const struct tmtu_flows_counters *c)
{
    static const struct counters_family places = {
        "flows_places", NULL, "Flows that a table has room for."};
    static const struct counters_family held = {
        "flows_held", NULL,
        "Flows in a table now, some perhaps past their time."};
    static const struct counters_family confirmed = {
        "flows_confirmed", NULL,
        "Those held that keep their place in a flood."};
    static const struct counters_family inserted = {
        "flows_inserted_total", NULL, "Flows that got a place."};
    static const struct counters_family expired = {
        "flows_expired_total", NULL,
        "Flows forgotten because their time was over."};
    static const struct counters_family evicted = {
        "flows_evicted_total", NULL,
        "Flows not yet confirmed, forgotten for newer ones."};
    static const struct counters_family removed = {
        "flows_removed_total", NULL, "Flows forgotten for another reason."};
    static const struct counters_family full = {
        "flows_without_place_total", NULL,
        "Flows that got no place: all theirs were taken by confirmed ones."};
    const struct counters_label about[] = {{"table", group}, {NULL, NULL}};

    to->about = about;
    counters_line(to, &places, group, "places", c->places);
    counters_line(to, &held, group, "held", c->held);
    counters_line(to, &confirmed, group, "confirmed", c->confirmed);
    counters_line(to, &inserted, group, "inserted", c->inserted);
    counters_line(to, &expired, group, "expired", c->expired);
    counters_line(to, &evicted, group, "evicted", c->evicted);
    counters_line(to, &removed, group, "removed", c->removed);
    counters_line(to, &full, group, "full", c->full);
    to->about = NULL;
}
