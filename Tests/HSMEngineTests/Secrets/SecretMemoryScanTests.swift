import Glibc
import HSMBridge
import Testing

@testable import HSMEngine

/// Looks through this process's own memory, as a debugger would, for a marker made at run time.
///
/// The marker is nowhere kept as a whole by the test: byte i is a function of a random seed, so that what is found is the
/// engine's doing. Only the first byte is searched for, the others are computed.
@Suite(.serialized) struct SecretMemoryScanTests {
    private struct Marker {
        static let length = 24
        let seed = UInt64.random(in: .min ... .max)

        func byte(_ index: Int) -> UInt8 {
            var value = seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return UInt8(truncatingIfNeeded: value >> 56)
        }
    }

    private struct Finding {
        var hits = 0
        var bytesRead = 0
        var unreadableMappings = 0
    }

    private static func scan(_ marker: Marker) -> Finding {
        var finding = Finding()
        let file = unsafe open("/proc/self/mem", O_RDONLY)
        guard file >= 0 else { return finding }
        defer { close(file) }
        let chunk = 1 << 20
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: chunk, alignment: 16)
        defer { unsafe buffer.deallocate() }
        let own = UInt(bitPattern: buffer)
        for (start, end) in mappings() {
            var address = start
            while address < end {
                // Our own buffer holds copies of what was read before: read up to it, go on behind it.
                if own <= address, address < own + UInt(chunk) {
                    address = own + UInt(chunk)
                    continue
                }
                let limit = address < own ? min(end, own) : end
                let wanted = min(chunk, Int(limit - address))
                let count = unsafe pread(file, buffer, wanted, off_t(Int(bitPattern: address)))
                if count <= 0 {
                    // One page that may not be read (secret memory, or just unmapped) hides nothing but itself.
                    finding.unreadableMappings += 1
                    address = (address | 4_095) + 1
                    continue
                }
                finding.bytesRead += count
                finding.hits += unsafe hits(marker, buffer, count)
                let next = address + UInt(count)
                // A marker across two reads is found in the second: no shorter step than one byte, none at a limit.
                address = next < limit && count > Marker.length ? next - UInt(Marker.length) + 1 : next
            }
        }
        return finding
    }

    private static func hits(_ marker: Marker, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        var hits = 0
        var offset = 0
        let first = Int32(marker.byte(0))
        while offset + Marker.length <= count {
            guard let found = unsafe memchr(buffer + offset, first, count - offset - Marker.length + 1) else { break }
            offset =
                UInt(bitPattern: found) - UInt(bitPattern: buffer) < UInt(count)
                ? Int(UInt(bitPattern: found) - UInt(bitPattern: buffer)) : count
            var index = 1
            while index < Marker.length,
                unsafe buffer.load(fromByteOffset: offset + index, as: UInt8.self) == marker.byte(index)
            { index += 1 }
            if index == Marker.length { hits += 1 }
            offset += 1
        }
        return hits
    }

    private static func mappings() -> [(UInt, UInt)] {
        guard let file = unsafe fopen("/proc/self/maps", "r") else { return [] }
        defer { unsafe fclose(file) }
        var result: [(UInt, UInt)] = []
        var line = [CChar](repeating: 0, count: 4_096)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let fields = text.split(separator: " ")
            let ends = fields.first?.split(separator: "-") ?? []
            guard ends.count == 2, fields.count > 1, fields[1].hasPrefix("rw"), let start = UInt(ends[0], radix: 16),
                let end = UInt(ends[1], radix: 16)
            else { continue }
            // The shadow memory of the sanitizers: terabytes of nothing.
            if end - start < 1 << 33 { result.append((start, end)) }
        }
        return result
    }

    @Test func `a live secret is invisible where the kernel hides it, and a dead one is nowhere`() throws {
        let marker = Marker()
        var secret = try SecretBytes(count: Marker.length)
        secret.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = marker.byte(index) }
        }
        let alive = Self.scan(marker)
        #expect(alive.bytesRead > 1 << 20, "the scan must have seen something")
        #expect(alive.hits == (SecretMemory.shared.statistics.isHidden ? 0 : 1))
        let isStillThere = secret.withBytes { $0[0] == marker.byte(0) }
        #expect(isStillThere)
        Self.consume(secret)
        #expect(Self.scan(marker).hits == 0)
    }

    private static func consume(_ secret: consuming SecretBytes) {}

    @Test func `locked memory without memfd_secret is wiped as well`() throws {
        let memory = SecretMemory(limit: 256 << 10, allowHidden: false)
        let marker = Marker()
        var secret = try SecretBytes(count: Marker.length, in: memory)
        secret.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = marker.byte(index) }
        }
        #expect(Self.scan(marker).hits == 1, "this is the control: a scan that finds nothing proves nothing")
        Self.consume(secret)
        #expect(Self.scan(marker).hits == 0)
    }

    @Test func `an array control is found`() {
        let marker = Marker()
        let array = (0..<Marker.length).map(marker.byte)
        let finding = Self.scan(marker)
        #expect(finding.hits >= 1)
        #expect(array.count == Marker.length)
    }

    @Test func `opening, diversifying and wrapping leave no copy of a key behind`() throws {
        let marker = Marker()
        try Self.useEverywhere(marker)
        #expect(Self.scan(marker).hits == 0)
    }

    /// An AES schedule starts with the key itself, so a context on the ordinary heap would be found.
    @Test func `an opened AES key is invisible too where the module was libcrypto's first user`() throws {
        let marker = Marker()
        let key = try Self.opened(marker)
        let isHidden = LibcryptoMemory.isInstalled && SecretMemory.shared.statistics.isHidden
        let hits = Self.scan(marker).hits
        #expect(isHidden ? hits == 0 : hits > 0)
        #expect(key.blockLength == 16)
    }

    /// What libcrypto allocates outside of `withSecretAllocation`: the DER of a private key while it is read, for one.
    @Test func `what libcrypto gives back to the ordinary heap is wiped, and also where it moved from`() throws {
        let marker = Marker()
        guard let piece = unsafe LibcryptoMemory.piece(400) else { throw PrimitiveError.secretMemoryExhausted }
        for index in 0..<Marker.length {
            unsafe piece.storeBytes(of: marker.byte(index), toByteOffset: 200 + index, as: UInt8.self)
        }
        #expect(Self.scan(marker).hits == 1, "this is the control: a scan that finds nothing proves nothing")
        guard let moved = unsafe LibcryptoMemory.moved(piece, 40_000) else {
            throw PrimitiveError.secretMemoryExhausted
        }
        let first = unsafe moved.load(fromByteOffset: 200, as: UInt8.self)
        #expect(first == marker.byte(0))
        #expect(Self.scan(marker).hits == 1)
        unsafe LibcryptoMemory.release(moved)
        #expect(Self.scan(marker).hits == 0)
    }

    private static func opened(_ marker: Marker) throws -> OpenKeySchedule {
        let secret = try SecretBytes(count: Marker.length) { bytes in
            for index in bytes.indices { bytes[index] = marker.byte(index) }
        }
        return try OpenKeySchedule(secret, algorithm: .aes192)
    }

    @inline(never)
    private static func useEverywhere(_ marker: Marker) throws {
        var secret = try SecretBytes(count: Marker.length)
        secret.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = marker.byte(index) }
        }
        let key = try OpenKeySchedule(secret, algorithm: .tripleDES3)
        _ = try key.checkValue()
        let aes = try OpenKeySchedule(secret, algorithm: .aes192)
        _ = try aes.mac(.cmac, padding: .none, over: [1, 2, 3], length: 16)
        let protection = try KeyBlockKey(secret, version: .d)
        let block = try protection.wrap(
            secret,
            header: .init(
                version: .d,
                attributes: .init(
                    usage: .dataEncryption, algorithm: .aes192, mode: .both, exportability: .nonExportable),
                keyVersionText: "00"))
        let opened = try protection.unwrap(block)
        let isSame = opened.key.isEqual(to: secret)
        #expect(isSame)
    }
}
