-- SPDX-License-Identifier: MIT
-- GUE for Wireshark, which has no dissector of its own: both variants, without
-- options (draft-ietf-intarea-gue-09 section 3).
--     tshark -X lua_script:tests/interop/gue.lua ...
local gue = Proto("gue", "Generic UDP Encapsulation")
local by_version = { [4] = Dissector.get("ip"), [6] = Dissector.get("ipv6") }
local by_protocol = { [4] = 4, [41] = 6 }

function gue.dissector(tvb, pinfo, tree)
    local first = tvb(0, 1):uint()
    if first >= 0x40 then -- variant 1: an IP header, or an error
        tree:add(gue, tvb(0, 0), "GUE variant 1")
        return by_version[math.floor(first / 16)]:call(tvb, pinfo, tree)
    end
    local inner = by_protocol[tvb(1, 1):uint()]
    local header = tree:add(gue, tvb(0, 4), "GUE variant 0")
    if first ~= 0 or inner == nil or tvb(2, 2):uint() ~= 0 then
        header:add_expert_info(PI_MALFORMED, PI_ERROR, "not as tunmtu writes it")
    end
    return by_version[inner]:call(tvb(4):tvb(), pinfo, tree)
end

DissectorTable.get("udp.port"):add(6080, gue)
