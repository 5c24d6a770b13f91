import { describe, expect, test } from "vitest";
import { ProxyHeaderFault, parseProxyHeader } from "../../../src/broker/listeners/proxy-header.ts";
import { proxyHeader, tlv } from "../support/proxy.ts";

const v4 = "c0000205 0a000001 d431 075b";
const v6 = "20010db8000000000000000000000001 fe800000000000000000000000000002 d431 075b";

describe("a PROXY header of version 2", () => {
  test.each([
    ["TCP over IPv4", proxyHeader(0x21, 0x11, v4), "192.0.2.5"],
    ["TCP over IPv6", proxyHeader(0x21, 0x21, v6), "2001:db8::1"],
    ["a Unix socket", proxyHeader(0x21, 0x31, "2f".repeat(216)), undefined],
    ["an unknown family", proxyHeader(0x21, 0x00, "ffff"), undefined],
    ["a proxy's own connection", proxyHeader(0x20, 0x00, ""), undefined],
    ["a proxy's own connection, with more that is to be ignored", proxyHeader(0x20, 0x11, "ff"), undefined],
    ["TLVs behind the addresses", proxyHeader(0x21, 0x11, v4 + tlv(0x05, "01") + tlv(0x20, "0102030405")), "192.0.2.5"],
  ])("tells the address of %s, however it arrives", (_, header, address) => {
    const behind = Buffer.concat([header, Buffer.from([0x10, 0x0c])]);
    expect(parseProxyHeader(behind)).toEqual({ address, end: header.length });
    for (let length = 0; length < header.length; length++)
      expect(parseProxyHeader(header.subarray(0, length))).toBeUndefined();
  });

  test.each([
    ["CONNECT instead of it", Buffer.from([0x10]), "it is not there"],
    ["version 1", Buffer.from("PROXY TCP4 192.0.2.5"), "it is not there"],
    ["another version", proxyHeader(0x11, 0x11, v4), "its version is 1, not 2"],
    ["an unknown command", proxyHeader(0x22, 0x11, v4), "its command 0x2 is unknown"],
    ["a datagram's family", proxyHeader(0x21, 0x12, v4), "its family and transport 0x12 are no stream's"],
    ["an unknown family", proxyHeader(0x21, 0x41, v4), "its family and transport 0x41 are no stream's"],
    ["too few bytes for IPv4", proxyHeader(0x21, 0x11, v4.slice(2)), "it ends in the middle of its addresses"],
    ["too few bytes for IPv6", proxyHeader(0x21, 0x21, v4), "it ends in the middle of its addresses"],
    ["too few bytes for a Unix socket", proxyHeader(0x21, 0x31, v6), "it ends in the middle of its addresses"],
    ["half a TLV", proxyHeader(0x21, 0x11, `${v4}0500`), "it ends in the middle of a TLV"],
    ["a TLV beyond the end", proxyHeader(0x21, 0x11, `${v4}05000201`), "a TLV is longer than the header"],
    ["too many bytes", proxyHeader(0x21, 0x11, v4 + tlv(4, "00".repeat(4096))), "it has 4111 bytes, 4096 are allowed"],
  ])("refuses %s, before it is whole where that can be", (_, header, why) => {
    expect(() => parseProxyHeader(header)).toThrow(new ProxyHeaderFault(why));
  });

  test("is refused from its beginning where it says more than is taken", () => {
    const header = proxyHeader(0x21, 0x11, v4 + tlv(4, "00".repeat(4096)));
    expect(() => parseProxyHeader(header.subarray(0, 16))).toThrow("it has 4111 bytes");
  });
});
