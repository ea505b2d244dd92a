import Foundation
import Glibc

/// Looks for secrets where none may be: in a process's memory, in files, in a dump.
struct SecretSearch {
    /// Name and bytes of everything that is looked for.
    private var needles: [(name: String, bytes: [UInt8])] = []

    /// Adds a secret as its bytes, and as hexadecimal text in both cases.
    mutating func add(_ name: String, _ secret: [UInt8]) {
        needles.append((name, secret))
        for format in ["%02x", "%02X"] {
            let text = secret.map { String(format: format, $0) }.joined()
            needles.append(("\(name) as text", Array(text.utf8)))
        }
    }

    /// Adds a text as it is.
    mutating func add(text: String) { needles.append((text, Array(text.utf8))) }

    private var longest: Int { needles.map(\.bytes.count).max() ?? 0 }

    func found(in data: [UInt8]) -> Set<String> {
        var names: Set<String> = []
        for needle in needles where Self.contains(data, needle.bytes) { names.insert(needle.name) }
        return names
    }

    private static func contains(_ data: [UInt8], _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, data.count >= needle.count else { return false }
        return unsafe data.withUnsafeBytes { room in
            guard var place = room.baseAddress else { return false }
            let end = unsafe place + room.count - needle.count + 1
            while unsafe place < end, let hit = unsafe memchr(place, Int32(first), end - place) {
                if unsafe memcmp(hit, needle, needle.count) == 0 { return true }
                unsafe place = UnsafeRawPointer(hit) + 1
            }
            return false
        }
    }

    /// Every file under the folder.
    func found(under folder: String) -> (names: Set<String>, files: Int) {
        var (names, files): (Set<String>, Int) = ([], 0)
        for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { continue }
            files += 1
            for name in found(in: Array(data)) { names.insert("\(name) in \(path)") }
        }
        return (names, files)
    }

    /// What a search of a process came to.
    struct Memory {
        var names: Set<String> = []
        var bytes = 0
        /// Regions that the kernel shows to nobody, root included.
        var closed: [String] = []
    }

    /// All writable memory of a process, through /proc.
    func found(inProcess id: Int32) throws -> Memory {
        var memory = Memory()
        let file = unsafe open("/proc/\(id)/mem", O_RDONLY)
        guard file >= 0 else { throw CocoaError(.fileReadNoPermission) }
        defer { close(file) }
        for line in try Self.lines("/proc/\(id)/maps") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard ends.count == 2, words[1].contains("w") else { continue }
            let name = words.count > 5 ? words[5...].joined(separator: " ") : "anonymous"
            read(file, ends[0], ends[1], name, &memory)
        }
        return memory
    }

    /// A file of the kernel's, which comes in pieces and has no length.
    private static func lines(_ path: String) throws -> [Substring] {
        guard let file = FileHandle(forReadingAtPath: path) else { throw CocoaError(.fileReadNoSuchFile) }
        var data = Data()
        while let piece = try file.read(upToCount: 4_096), !piece.isEmpty { data += piece }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }

    private func read(_ file: Int32, _ from: UInt64, _ until: UInt64, _ name: String, _ memory: inout Memory) {
        let size = 1 << 20
        var (address, kept) = (from, [UInt8]())
        while address < until {
            let wanted = min(UInt64(size), until - address)
            var chunk = [UInt8](repeating: 0, count: Int(wanted))
            let got = unsafe pread(file, &chunk, chunk.count, off_t(truncatingIfNeeded: address))
            guard got > 0 else {
                if address == from { memory.closed.append(name) }
                return
            }
            memory.bytes += got
            memory.names.formUnion(found(in: kept + chunk.prefix(got)))
            kept = Array(chunk.prefix(got).suffix(longest))
            address += UInt64(got)
        }
    }
}
