/// A message where it lies, as the blocks that a MAC runs over. Valid while its memory is.
@safe struct PaddedMessage: BitwiseCopyable {
    private let start: UnsafeRawPointer
    private let count: Int32
    /// With the padding, at least one.
    let blocks: Int
    private let padding: MACPadding

    /// `padding == .none`: whole blocks, at least one (the caller has checked). Below 2 GiB.
    @inline(__always)
    @unsafe init(_ bytes: UnsafeBufferPointer<UInt8>, _ padding: MACPadding) {
        // An empty field has no address; none of it is read.
        unsafe start = UnsafeRawPointer(bytes.baseAddress) ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped
        count = Int32(bytes.count)
        blocks = Self.blocks(bytes.count, padding)
        self.padding = padding
    }

    @inline(__always)
    private static func blocks(_ count: Int, _ padding: MACPadding) -> Int {
        switch padding {
        case .none: count / 8
        case .method1: max(1, (count + 7) / 8)
        case .method2: count / 8 + 1
        case .method3: (count + 7) / 8 + 1
        }
    }

    @inline(__always)
    func block(_ index: Int) -> Block8 {
        if padding == .method3 {
            return index == 0 ? Block8(number: UInt64(count) &* 8) : filled(8 &* index &- 8)
        }
        return filled(8 &* index)
    }

    /// All blocks xored.
    var folded: Block8 {
        var folded: Block8 = 0
        for index in 0..<blocks { folded ^= block(index) }
        return folded
    }

    /// The block at `offset`, with the padding behind what is left of the message.
    @inline(__always)
    private func filled(_ offset: Int) -> Block8 {
        if offset &+ 8 <= Int(count) {
            return unsafe start.loadUnaligned(fromByteOffset: offset, as: Block8.self)
        }
        return last(offset)
    }

    private func last(_ offset: Int) -> Block8 {
        let rest = Int(count) - offset
        let mark: Block8 = padding == .method2 ? 0x80 << UInt64(8 * rest) : 0
        if rest == 0 { return mark }
        if count >= 8 {
            // The message's last eight bytes, of which the first were in the block before.
            let last = unsafe start.loadUnaligned(fromByteOffset: Int(count) - 8, as: Block8.self)
            return last >> UInt64(8 * (8 - rest)) | mark
        }
        var block = mark
        for index in 0..<rest {
            block |= Block8(unsafe start.load(fromByteOffset: index, as: UInt8.self)) << UInt64(8 * index)
        }
        return block
    }
}
